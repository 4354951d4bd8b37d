"""Both kinds keep to what the platform asks of a blueprint."""

from __future__ import annotations

from acme_blueprints import announcement, shadow_endpoint

from mlops_framework.testing.blueprint_suite import BlueprintSuite

PACKAGES = "arn:aws:sagemaker:us-east-1:111122223333:model-package/employment"
ANNOUNCEMENT = {
    "pipeline_type": "acme-announcement",
    "model_name": "employment",
    "sentence": "The employment model is there.",
    "delay_seconds": {"local": 1},
}
SHADOW_ENDPOINT = {
    "pipeline_type": "acme-shadow-endpoint",
    "model_name": "employment",
    "model_package_name": f"{PACKAGES}/1",
    "challenger_package_name": f"{PACKAGES}/2",
    "challenger_share": 0.5,
}


class TestAnnouncement(BlueprintSuite):
    blueprint = announcement.BLUEPRINT
    example = ANNOUNCEMENT

    def test_its_machine_says_the_sentence_after_the_delay(self, specimen):
        (machine,) = [
            body["Properties"]
            for body in specimen.template["Resources"].values()
            if body["Type"] == "AWS::StepFunctions::StateMachine"
        ]
        definition = "".join(
            part if isinstance(part, str) else f"<{part.get('Ref')}>"
            for part in machine["DefinitionString"]["Fn::Join"][1]
        )
        assert '"Seconds":<DelaySeconds>' in definition
        assert '"Message":"<Sentence>"' in definition


class TestShadowEndpoint(BlueprintSuite):
    blueprint = shadow_endpoint.BLUEPRINT
    example = SHADOW_ENDPOINT

    def test_the_challenger_answers_in_the_shadow_of_the_endpoint_that_we_inherit(self, specimen):
        (configuration,) = [
            body["Properties"]
            for body in specimen.template["Resources"].values()
            if body["Type"] == "AWS::SageMaker::EndpointConfig"
        ]
        (shadow,) = configuration["ShadowProductionVariants"]
        assert shadow["InitialVariantWeight"] == {"Ref": "ChallengerShare"}
        _, _, with_instances = configuration["ProductionVariants"]["Fn::If"]
        _, _, (inherited, *places) = with_instances["Fn::If"]
        assert inherited["VariantName"] == {"Ref": "VariantName"}
        assert all(place["Fn::If"][0].startswith("HasVariant") for place in places)
        assert configuration["DataCaptureConfig"]["Fn::If"][2]["CaptureOptions"]
