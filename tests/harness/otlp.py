"""Reads what a collector was sent, one `path JSON` a line, by OpenTelemetry's own messages, and fails at anything they
do not know. Prints a line of names for each."""

import base64
import json
import sys

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MESSAGES = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}
# OTLP writes these in hexadecimal, where the JSON of Protocol Buffers has Base64 for all bytes
# (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def ids(value, key=None):
    if isinstance(value, dict):
        return {name: ids(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [ids(member) for member in value]
    if key in IDS and value != "":
        digits = bytes.fromhex(value)
        assert len(digits) == IDS[key], f"{key}: {value}"
        return base64.b64encode(digits).decode()
    return value


def names(request):
    if isinstance(request, ExportTraceServiceRequest):
        return [span.name for resource in request.resource_spans for s in resource.scope_spans for span in s.spans]
    return [metric.name for resource in request.resource_metrics for s in resource.scope_metrics for metric in s.metrics]


for line in sys.stdin:
    path, text = line.split(" ", 1)
    print(json.dumps(names(ParseDict(ids(json.loads(text)), MESSAGES[path]()))))
