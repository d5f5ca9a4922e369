"""The boards, one module each, in the order in which people meet them."""

from grafana.boards import breaches, collection, improvement, kpi, overview, perspective, strategy, wall

BOARDS = (overview, perspective, kpi, improvement, strategy, breaches, wall, collection)
