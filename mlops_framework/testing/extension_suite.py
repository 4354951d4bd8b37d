"""The conformance suite of platform extensions: what each keeps to, ours and a company's.

Subclass it in a test module::

    class TestGuardRails(ExtensionSuite):
        extension = GuardRails
        settings = {"cost_centre_tag": "cost-centre"}

The tests are inherited. They need the ``cdk`` extra, Node.js, and a checkout of the platform.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from mlops_framework.errors import EnvironmentInvalid
from mlops_framework.testing.blueprint_suite import checkout_of

if TYPE_CHECKING:
    from mlops_framework.cdk.conformance import ExtensionSpecimen

_CUSTOM = re.compile(r"^(Custom::|AWS::CloudFormation::CustomResource$)")


class ExtensionSuite:
    """Tests that an extension inherits by subclassing; its class begins with ``Test``.

    Attributes:
        extension: The subclass of ``PlatformExtension``.
        settings: Settings that it accepts, as an environment would write them.
        tags: Tags of the environment, where the extension asks for some.
        checkout: Folder of the platform; the nearest one if left out.
        environment: The environment of the checkout that is synthesized.
    """

    extension: ClassVar[type[Any]]
    settings: ClassVar[Mapping[str, Any]] = {}
    tags: ClassVar[Mapping[str, str]] = {}
    checkout: ClassVar[Path | None] = None
    environment: ClassVar[str] = "local"

    @pytest.fixture(scope="class")
    @classmethod
    def specimen(cls, tmp_path_factory: pytest.TempPathFactory) -> ExtensionSpecimen:
        """The extension on a small platform, synthesized once for all tests of the class."""
        from mlops_framework.cdk.conformance import extension_specimen

        return extension_specimen(
            cls.extension,
            cls.config(dict(cls.settings)),
            checkout=cls.checkout or checkout_of(),
            folder=tmp_path_factory.mktemp("extension"),
        )

    @classmethod
    def config(cls, settings: Mapping[str, Any]) -> Any:
        """The environment with the extension in it, and no other."""
        from mlops_framework.environments.loader import load_environment

        checkout = cls.checkout or checkout_of()
        config = load_environment(cls.environment, checkout / "environments")
        chosen = {
            "enabled": (),
            "modules": (f"{cls.extension.__module__}:{cls.extension.__qualname__}",),
            "settings": {cls.extension.name: dict(settings)},
        }
        selection = type(config.extensions).model_validate(chosen)
        tags = {**config.tags, **cls.tags}
        return config.model_copy(update={"extensions": selection, "tags": tags})

    def test_an_unknown_setting_is_refused_by_its_name(self) -> None:
        """A slip of the pen is told, not ignored."""
        from mlops_framework.cdk.extensions import Extensions

        with pytest.raises(EnvironmentInvalid) as refusal:
            Extensions.discover(self.config({**self.settings, "no-such-setting": 1}))
        paths = [fault.path for fault in refusal.value.faults]
        assert paths == [f"extensions.settings.{self.extension.name}.no-such-setting"], paths

    def test_every_setting_is_described(self) -> None:
        """Descriptions are its documentation."""
        fields = self.extension.settings_type.model_fields
        bare = [name for name, field in fields.items() if not (field.description or "").strip()]
        assert not bare, f"without description: {', '.join(bare)}"

    def test_the_platform_synthesizes_with_it(self, specimen: ExtensionSpecimen) -> None:
        """Its aspects accept a platform whose environment is as it asks."""
        assert not specimen.errors, "\n".join(specimen.errors)

    def test_cdk_nag_finds_nothing_in_its_stacks(self, specimen: ExtensionSpecimen) -> None:
        """AwsSolutions; a finding is repaired, or acknowledged with a reason."""
        assert not specimen.findings, "\n".join(specimen.findings)

    def test_its_stacks_have_no_custom_resource(self, specimen: ExtensionSpecimen) -> None:
        """A custom resource is a function that nobody reviews and a deletion that can hang."""
        custom = {
            f"{stack}/{name}": resource["Type"]
            for stack, template in specimen.templates.items()
            for name, resource in template.get("Resources", {}).items()
            if _CUSTOM.match(resource["Type"])
        }
        assert not custom, f"custom resources: {custom}"

    def test_a_second_synthesis_gives_the_same_templates(self, specimen: ExtensionSpecimen) -> None:
        """No clock, no chance, no network: what was reviewed is what is deployed."""
        assert specimen.again == specimen.templates
