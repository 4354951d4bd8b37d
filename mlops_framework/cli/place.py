"""Where a command acts: a deployed environment, or the local AWS that runs in this folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from mlops_framework import naming
from mlops_framework.cli.api import Api, SignedTransport
from mlops_framework.cli.errors import PlaceUnknown

LOCAL: Final = "local"
STATE: Final = Path(".mlops/local")
ENVIRONMENTS: Final = Path("environments")


class Place(Protocol):
    """What a command needs of the world."""

    @property
    def prefix(self) -> str:
        """The environment's prefix, ``mlops-dev``."""
        ...

    def api(self) -> Api:
        """The orchestrator's API."""
        ...

    def client(self, service: str) -> Any:
        """A botocore client (what boto3 makes of one, without its resources)."""
        ...

    def value(self, key: naming.PlatformKey) -> str:
        """A value that the platform publishes in SSM."""
        ...


class Places(Protocol):
    """Finds the place that options mean; commands get it as their context's object."""

    def find(self, environment: str | None, api_url: str | None = None) -> Place:
        """The place.

        Raises:
            PlaceUnknown: If it is not clear which is meant, or it is not there.
        """
        ...


@dataclass(frozen=True)
class AwsPlace:
    """A place behind AWS's own interfaces, real or local.

    Attributes:
        prefix: The environment's prefix.
        region: Where it is.
        api_url: The API, if it is known already.
        endpoint: Address of the local AWS; ``None`` for the real one.
        account: Account of the local AWS.
        rewrite: How the local AWS addresses the API of a stack output.
    """

    prefix: str
    region: str
    api_url: str | None = None
    endpoint: str | None = None
    account: str | None = None
    rewrite: Any = field(default=None, repr=False)

    def api(self) -> Api:
        """The orchestrator's API, signed with this place's credentials."""
        url = self.api_url or self.value("api-url")
        if self.rewrite is not None and ".execute-api." in url:
            url = self.rewrite(url)
        return Api(url, SignedTransport(self._session(), self.region))

    def client(self, service: str) -> Any:
        """A client of this place."""
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": "path"} if self.endpoint else {},
        )
        return self._session().create_client(
            service, region_name=self.region, endpoint_url=self.endpoint, config=config
        )

    def value(self, key: naming.PlatformKey) -> str:
        """A value that the platform publishes.

        Raises:
            PlaceUnknown: If the platform is not deployed there.
        """
        ssm = self.client("ssm")
        name = naming.platform_parameter(self.prefix, key)
        try:
            return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
        except ssm.exceptions.ParameterNotFound:
            raise PlaceUnknown(
                f"The platform {self.prefix} is not deployed in {self.region}: there is no SSM "
                f"parameter {name}. Deploy it (npx cdk deploy --all -c env=…), or check the "
                "account you are logged in to."
            ) from None

    def _session(self) -> Any:
        from botocore.session import Session

        session: Any = Session()
        if self.endpoint:
            # The local AWS takes a twelve digit access key for the account itself.
            session.set_credentials(self.account, LOCAL)
        return session


@dataclass(frozen=True)
class CheckoutPlaces:
    """Places as a checkout knows them: its environment files and its local AWS.

    Attributes:
        environments: Folder of the environment files.
        state: Folder of the local AWS's state.
    """

    environments: Path = ENVIRONMENTS
    state: Path = STATE

    def find(self, environment: str | None, api_url: str | None = None) -> AwsPlace:
        """The place that options mean; the running local AWS if they say nothing."""
        if environment in (None, LOCAL):
            local = self._local(api_url)
            if local is not None:
                return local
        if environment == LOCAL:
            raise PlaceUnknown(f"No local AWS runs in {self.state}. Start it with mlops local up.")
        if environment is not None:
            return self._deployed(environment, api_url)
        if api_url is not None:
            return AwsPlace("", _region_of(api_url), api_url)
        known = ", ".join(self._names()) or "none"
        raise PlaceUnknown(
            f"Say which environment is meant: --env NAME (in {self.environments}: {known}). "
            "Without it the local AWS is taken, and none runs here: mlops local up."
        )

    def _names(self) -> tuple[str, ...]:
        from mlops_framework.environments.loader import environment_names

        return environment_names(self.environments)

    def _deployed(self, environment: str, api_url: str | None) -> AwsPlace:
        from mlops_framework.environments.loader import load_environment

        config = load_environment(environment, self.environments)
        return AwsPlace(config.prefix, config.region, api_url)

    def _local(self, api_url: str | None) -> AwsPlace | None:
        if not (self.state / "emulator.json").is_file():
            return None
        from mlops_framework.local.emulator import Emulator

        emulator = Emulator.attach(self.state)
        if emulator is None:
            return None
        running = emulator.running
        return AwsPlace(
            prefix=self._local_prefix(),
            region=running.region,
            api_url=api_url,
            endpoint=emulator.endpoint,
            account=running.account,
            rewrite=emulator.local_url,
        )

    def _local_prefix(self) -> str:
        from mlops_framework.environments.loader import load_environment

        if LOCAL in self._names():
            return load_environment(LOCAL, self.environments).prefix
        return naming.environment_prefix("mlops", LOCAL)


def _region_of(api_url: str) -> str:
    """The region in an API Gateway address."""
    parts = api_url.split(".execute-api.")
    if len(parts) != 2:
        raise PlaceUnknown(
            f"{api_url} is not an API Gateway address, so its region is not known: say --env too."
        )
    return parts[1].split(".")[0]
