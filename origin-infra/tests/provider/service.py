"""One provider: answers Terraform's calls out of its schema."""

from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from provider import facts, schema, values


class Provider(rpc.ProviderServicer):
    def __init__(self, data: dict):
        self.data = data
        self.nested = data["nested_attributes"]
        self.about = schema.provider_message(data)
        self.region = "us-east-1"

    def settle(self, entry: dict, value: dict, leaf: values.Leaf) -> dict:
        return values.settle(entry, value, leaf, self.nested)

    def GetProviderSchema(self, request, context):
        return self.about

    def ValidateProviderConfig(self, request, context):
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request, context):
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request, context):
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request, context):
        region = values.read(request.config).get("region")
        self.region = region if isinstance(region, str) else self.region
        return pb.ConfigureProvider.Response()

    def ReadResource(self, request, context):
        return pb.ReadResource.Response(new_state=request.current_state, private=request.private)

    def UpgradeResourceState(self, request, context):
        state = pb.DynamicValue(json=request.raw_state.json)
        return pb.UpgradeResourceState.Response(upgraded_state=state)

    def ReadDataSource(self, request, context):
        config = values.read(request.config)
        fact = facts.READ.get(request.type_name, lambda config, region: {})(config, self.region)
        state = self.settle(self.data["data"][request.type_name], {**config, **fact}, values.read_back)
        return pb.ReadDataSource.Response(state=values.write(state))

    def PlanResourceChange(self, request, context):
        proposed, prior = values.read(request.proposed_new_state), values.read(request.prior_state)
        if proposed is not None:
            fact = facts.PLAN.get(request.type_name, lambda value: {})(proposed) if prior is None else {}
            leaf = values.created if prior is None else values.updated
            proposed = self.settle(self.data["resources"][request.type_name], {**proposed, **fact}, leaf)
        # The old type system forgives small deviations, such as of what a real provider has a default for.
        return pb.PlanResourceChange.Response(planned_state=values.write(proposed), legacy_type_system=True)

    def ApplyResourceChange(self, request, context):
        planned = values.read(request.planned_state)
        if planned is not None:
            planned = self.settle(self.data["resources"][request.type_name], planned, values.applied)
        return pb.ApplyResourceChange.Response(new_state=values.write(planned), legacy_type_system=True)

    def StopProvider(self, request, context):
        return pb.StopProvider.Response()
