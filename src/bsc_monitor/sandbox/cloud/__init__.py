"""The cost side of the sandbox: Cost Explorer and Budgets, Cost Management, OpenCost, and a FOCUS export, as the vendors speak."""
