import pytest
from aiohttp.test_utils import TestClient, TestServer
from tests.unit.web import site

from bsc_monitor.web import create_app


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """Nothing writes to it: the operations only note what they are asked."""
    opened = site.open_store(tmp_path_factory.mktemp("board") / "board.db")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def hostile_store(tmp_path_factory):
    opened = site.open_store(tmp_path_factory.mktemp("board") / "hostile.db", hostile=True)
    yield opened
    opened.close()


@pytest.fixture
async def serving(store):
    """Start a board with whatever a test changes of it; returns a client."""
    clients = []

    async def start(*, of=store, **more):
        board = site.make_board(of, **more)
        client = TestClient(TestServer(create_app(board)))
        client.board = board
        clients.append(client)
        await client.start_server()
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def client(serving):
    return await serving()
