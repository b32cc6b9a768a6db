"""Publishes how much work waits in Redis, once per call; the workers are scaled by it.

Reads the keys of Dramatiq's queues over TLS and puts one set of numbers per queue into CloudWatch, zeros
too: scaling in waits for ever on a metric that is missing. When Redis cannot be read it raises and publishes
nothing, because a zero would scale the workers in while their queue is out of sight.

Standard library and boto3 only, which is what Lambda has, so that one file is the whole deployment.
"""

import os
import socket
import ssl
import time

import boto3
from botocore.config import Config

SECONDS = 3  # for connecting and for each answer; AWS calls have the same, and one more try
AWS = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 2})

# One call, so that the numbers are of one moment: a message that moves between two reads would be counted
# twice or not at all. It returns numbers only; what the messages say stays in Redis.
# KEYS: waiting ids (list, oldest first), messages not finished (hash), delayed ones (hash), dead ones (zset).
COUNT = """
local made = -1
local oldest = redis.call('LINDEX', KEYS[1], 0)
local message = oldest and redis.call('HGET', KEYS[2], oldest)
if message then
    local read, fields = pcall(cjson.decode, message)
    if read and type(fields) == 'table' then made = tonumber(fields.message_timestamp) or -1 end
end
return {redis.call('LLEN', KEYS[1]), redis.call('HLEN', KEYS[2]), redis.call('HLEN', KEYS[3]),
        redis.call('ZCARD', KEYS[4]), made}
"""


class RedisError(Exception):
    """Redis could not be asked, or its answer cannot be used."""


def handler(_event, _context):
    """What Lambda calls: read all queues, then publish all of them or none."""
    queues = [name.strip() for name in os.environ["QUEUES"].split(",")]
    counts = count(queues, os.environ["REDIS_HOST"], int(os.environ["REDIS_PORT"]), auth_token())
    now = time.time()
    data = [datum for queue, numbers in zip(queues, counts) for datum in metrics(queue, numbers, now)]
    boto3.client("cloudwatch", config=AWS).put_metric_data(Namespace=os.environ["NAMESPACE"], MetricData=data)


def auth_token():
    """Read on every call, so that a rotated token needs no new deployment."""
    secrets = boto3.client("secretsmanager", config=AWS)
    return secrets.get_secret_value(SecretId=os.environ["REDIS_AUTH_SECRET_ARN"])["SecretString"]


def metrics(queue, numbers, now):
    """The numbers of one queue as CloudWatch wants them."""
    waiting, unfinished, delayed, dead, made = numbers
    values = [
        ("Waiting", waiting, "Count"),
        # Taken by a worker, running or held ready: each takes more than it runs.
        ("InFlight", max(unfinished - waiting, 0), "Count"),
        # What the workers are scaled by. Waiting alone would be too low: see InFlight.
        ("Backlog", unfinished, "Count"),
        ("Delayed", delayed, "Count"),
        ("Dead", dead, "Count"),
    ]
    if waiting == 0:
        values.append(("OldestAge", 0, "Seconds"))
    elif made >= 0:  # else the message does not say when it was made, and its age is left out
        values.append(("OldestAge", max(now - made / 1000, 0), "Seconds"))
    dimensions = [{"Name": "Queue", "Value": queue}]
    return [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
        for name, value, unit in values
    ]


def count(queues, host, port, token):
    """Five numbers per queue, all in one round trip."""
    commands = [("AUTH", token)] + [("EVAL_RO", COUNT, "4", *keys(queue)) for queue in queues]
    try:
        with connect(host, port) as connection, connection.makefile("rb") as answers:
            connection.sendall(b"".join(map(encode, commands)))
            _, *counts = [answer(answers, command[0]) for command in commands]
    except OSError as error:
        raise RedisError(f"Redis at {host}:{port} cannot be read: {error}") from error
    except RedisError as error:
        raise RedisError(f"Redis at {host}:{port} {error}") from error
    return counts


def keys(queue):
    """Where Dramatiq keeps a queue."""
    name = f"dramatiq:{queue}"
    return name, f"{name}.msgs", f"{name}.DQ.msgs", f"{name}.XQ"


def connect(host, port):
    """A connection that is encrypted and whose certificate is checked, or an OSError."""
    plain = socket.create_connection((host, port), timeout=SECONDS)
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def encode(command):
    """A command in the Redis protocol: an array of byte strings."""
    words = [word.encode() for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def answer(answers, command):
    """The answer to one command: a status, a number, or an array of numbers."""
    line = answers.readline(4096)
    if not line.endswith(b"\r\n"):
        raise RedisError(f"closed the connection in the middle of its answer to {command}")
    kind, text = line[:1], line[1:-2].decode(errors="replace")
    if kind == b"-":
        # An error may repeat the words of its command, and those of AUTH are secret.
        raise RedisError(f"refused {command}: {text.split(' ')[0] if command == 'AUTH' else text}")
    if kind == b"+":
        return text
    try:
        if kind == b":":
            return int(text)
        if kind == b"*":
            return [answer(answers, command) for _ in range(int(text))]
    except ValueError:
        pass
    raise RedisError(f"gave an answer to {command} that is not of the Redis protocol")
