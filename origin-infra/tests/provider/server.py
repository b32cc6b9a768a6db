"""Serves every provider of schema/ on 127.0.0.1, and says to Terraform where.

For a provider in TF_REATTACH_PROVIDERS, Terraform neither installs nor version-checks anything.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
from tf.gen import tfplugin_pb2_grpc as rpc

from provider.schema import load
from provider.service import Provider

SCHEMA = Path(__file__).parent / "schema"
# The schema of aws is larger than the 4 MB that gRPC allows by itself.
UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def start(data: dict) -> tuple[grpc.Server, int]:
    server = grpc.server(ThreadPoolExecutor(8), options=UNLIMITED)
    rpc.add_ProviderServicer_to_server(Provider(data), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def reattach(port: int) -> dict:
    """`Test` keeps Terraform from ending the process that serves."""
    address = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
    return {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}


@contextmanager
def serve() -> Iterator[dict[str, str]]:
    """The environment in which Terraform finds the providers, for as long as they are served."""
    servers, addresses = [], {}
    for file in sorted(SCHEMA.glob("*.json")):
        data = load(file)
        server, port = start(data)
        servers.append(server)
        addresses[f"registry.terraform.io/{data['provider']}"] = reattach(port)
    yield {"TF_REATTACH_PROVIDERS": json.dumps(addresses)}
    for server in servers:
        server.stop(None)
