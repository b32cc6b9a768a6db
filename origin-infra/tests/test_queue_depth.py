"""The publisher of queue depth, with a real redis-server, a real Dramatiq queue, and moto as AWS."""

import ast
import importlib.util
import os
import sys
import time
import traceback
from pathlib import Path

import boto3
import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from moto import mock_aws

from conftest import needed
from redis_server import RedisServer, Wire, certificate

SOURCE = Path(__file__).parent.parent / "lambda" / "queue_depth.py"
PASSWORD = "correct-horse-battery-staple"
NAMESPACE = "he2-test/queue"
NOTHING = {"Waiting": 0, "InFlight": 0, "Backlog": 0, "Delayed": 0, "Dead": 0, "OldestAge": 0}


def load():
    spec = importlib.util.spec_from_file_location("queue_depth", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    needed("redis-server", "apt-get install redis-server")
    needed("openssl", "apt-get install openssl")
    folder = tmp_path_factory.mktemp("redis")
    certificate(folder)
    return folder


@pytest.fixture
def server(folder):
    server = RedisServer(folder, PASSWORD)
    yield server
    server.kill()


@pytest.fixture
def broker(server):
    broker = RedisBroker(url=server.url(), middleware=[])
    broker.declare_queue("default")
    yield broker
    broker.client.close()


@pytest.fixture
def queue_depth(server, monkeypatch):
    """The module as Lambda would run it: its environment, and an AWS account with the token in it."""
    with mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        secrets = boto3.client("secretsmanager")
        arn = secrets.create_secret(Name="redis", SecretString=PASSWORD)["ARN"]
        environment = {
            "REDIS_HOST": "localhost", "REDIS_PORT": str(server.port), "REDIS_AUTH_SECRET_ARN": arn,
            "QUEUES": "default", "NAMESPACE": NAMESPACE, "SSL_CERT_FILE": str(server.certificate),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield load()


def published(queue="default"):
    """What CloudWatch was given for a queue, by metric."""
    cloudwatch = boto3.client("cloudwatch")
    dimensions = [{"Name": "Queue", "Value": queue}]
    ours = cloudwatch.list_metrics(Namespace=NAMESPACE, Dimensions=dimensions)["Metrics"]
    return {metric["MetricName"]: latest(cloudwatch, metric) for metric in ours}


def latest(cloudwatch, metric):
    now = time.time()
    points = cloudwatch.get_metric_statistics(
        **metric, StartTime=now - 600, EndTime=now + 600, Period=3600, Statistics=["Maximum"]
    )
    return points["Datapoints"][-1]["Maximum"]


def enqueue(broker, times=1, queue="default", **options):
    for _ in range(times):
        broker.enqueue(message(queue), **options)


def message(queue, **fields):
    return dramatiq.Message(queue_name=queue, actor_name="run", args=(), kwargs={}, options={}, **fields)


def take(broker, times, queue="default"):
    """As a worker does: off the list, still in the hash."""
    consumer = broker.consume(queue, prefetch=times, timeout=1000)
    return consumer, [next(consumer) for _ in range(times)]


def test_each_message_is_counted_as_what_it_is(broker, queue_depth):
    enqueue(broker, 7)
    consumer, (first, *_) = take(broker, 4)
    consumer.nack(first)  # given up: into the dead letters
    enqueue(broker, 2, delay=600_000)
    queue_depth.handler({}, None)
    numbers = published()
    assert numbers.pop("OldestAge") < 60
    assert numbers == {"Waiting": 3, "InFlight": 3, "Backlog": 6, "Delayed": 2, "Dead": 1}


def test_what_is_acknowledged_is_no_longer_counted(broker, queue_depth):
    enqueue(broker, 2)
    consumer, messages = take(broker, 2)
    for each in messages:
        consumer.ack(each)
    queue_depth.handler({}, None)
    assert published() == NOTHING


def test_an_empty_queue_is_published_as_zeros(queue_depth):
    queue_depth.handler({}, None)
    assert published() == NOTHING


def test_each_queue_has_its_own_numbers(broker, queue_depth, monkeypatch):
    monkeypatch.setenv("QUEUES", "default, other,empty")
    broker.declare_queue("other")
    enqueue(broker, 3)
    enqueue(broker, 1, queue="other")
    queue_depth.handler({}, None)
    assert [published(queue)["Waiting"] for queue in ("default", "other", "empty")] == [3, 1, 0]


def test_the_age_is_that_of_the_message_at_the_head(broker, queue_depth):
    an_hour_ago = int((time.time() - 3600) * 1000)
    broker.enqueue(message("default", message_timestamp=an_hour_ago))
    enqueue(broker)
    queue_depth.handler({}, None)
    assert 3600 <= published()["OldestAge"] < 3660


def test_a_message_from_a_clock_ahead_of_ours_has_no_negative_age(broker, queue_depth):
    broker.enqueue(message("default", message_timestamp=int((time.time() + 3600) * 1000)))
    queue_depth.handler({}, None)
    assert published()["OldestAge"] == 0


def test_a_message_that_is_no_json_is_counted_and_its_age_left_out(broker, queue_depth):
    broker.client.hset("dramatiq:default.msgs", "id", b"\x80\x05pickled")
    broker.client.rpush("dramatiq:default", "id")
    queue_depth.handler({}, None)
    numbers = published()
    assert numbers["Backlog"] == 1
    assert "OldestAge" not in numbers


def refusal(queue_depth, capfd):
    """What a person reads when the publisher fails: it must raise, tell no secret, and publish nothing."""
    with pytest.raises(queue_depth.RedisError) as raised:
        queue_depth.handler({}, None)
    text = "".join(traceback.format_exception(raised.value)) + "".join(capfd.readouterr())
    assert PASSWORD not in text
    assert boto3.client("cloudwatch").list_metrics()["Metrics"] == []
    return str(raised.value)


# So many that the answers fill several TLS records: some arrive whole before the end.
MANY = [f"queue-{number}" for number in range(1000)]


@pytest.mark.parametrize("cut", [0, 200, -10_000], ids=["before a word", "in the handshake", "in answers"])
def test_a_server_killed_midway_is_an_error_and_no_metric(cut, server, queue_depth, monkeypatch, capfd):
    whole = Wire(server)
    queue_depth.count(MANY, "localhost", whole.port, PASSWORD)
    whole.close()
    wire = Wire(server, limit=cut if cut >= 0 else whole.carried + cut)
    monkeypatch.setenv("QUEUES", ",".join(MANY))
    monkeypatch.setenv("REDIS_PORT", str(wire.port))
    assert f"Redis at localhost:{wire.port} " in refusal(queue_depth, capfd)
    wire.close()
    assert not server.is_running()


def test_a_server_that_is_not_there_is_an_error_and_no_metric(server, queue_depth, capfd):
    server.kill()
    assert "Connection refused" in refusal(queue_depth, capfd)


def test_a_server_that_does_not_answer_is_given_up_on(server, queue_depth, monkeypatch, capfd):
    monkeypatch.setattr(queue_depth, "SECONDS", 0.2)
    server.stop_answering()
    assert "timed out" in refusal(queue_depth, capfd)


def test_a_wrong_token_is_an_error_that_does_not_show_it(queue_depth, monkeypatch, capfd):
    wrong = "not-the-token"
    boto3.client("secretsmanager").put_secret_value(
        SecretId=os.environ["REDIS_AUTH_SECRET_ARN"], SecretString=wrong
    )
    text = refusal(queue_depth, capfd)
    assert text.endswith("refused AUTH: WRONGPASS")
    assert wrong not in text


def test_a_rotated_token_is_used_by_the_next_call(broker, queue_depth):
    queue_depth.handler({}, None)
    broker.client.config_set("requirepass", "rotated")
    boto3.client("secretsmanager").put_secret_value(
        SecretId=os.environ["REDIS_AUTH_SECRET_ARN"], SecretString="rotated"
    )
    queue_depth.handler({}, None)
    assert published() == NOTHING


def test_a_command_that_redis_refuses_is_named_with_the_reason(broker, queue_depth, capfd):
    broker.client.set("dramatiq:default", "not a list")
    assert "refused EVAL_RO: WRONGTYPE" in refusal(queue_depth, capfd)


def test_a_certificate_that_nobody_signed_is_refused(queue_depth, monkeypatch, capfd):
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(queue_depth, capfd)


def test_one_queue_that_cannot_be_read_keeps_all_others_back(broker, queue_depth, monkeypatch, capfd):
    monkeypatch.setenv("QUEUES", "default,broken")
    broker.client.set("dramatiq:broken", "not a list")
    assert "WRONGTYPE" in refusal(queue_depth, capfd)


def test_the_file_needs_nothing_that_lambda_does_not_have():
    nodes = list(ast.walk(ast.parse(SOURCE.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"boto3", "botocore"}
