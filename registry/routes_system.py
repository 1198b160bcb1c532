"""/api/v1/health, services, status, system, doctor, reload: how the system fares and where its other services are."""

import ipaddress
from collections.abc import Mapping
from typing import Any, Protocol

import flask

import speeddata
from speeddata.errors import ConfigError
from speeddata.host_names import host_of
from speeddata.registry.problems import ApiProblem

__all__ = ["System", "system_routes"]


class System(Protocol):
    """What the orchestrator tells of itself and its processes."""

    def services(self) -> dict[str, dict[str, Any] | None]:
        """Host and port of `websocket` and `pivot`; None for one that is not known."""

    def instance(self) -> str:
        """What tells the data folder from all others: 32 hex digits."""

    def status(self) -> dict[str, Any]:
        """The whole system: version, data folder, keeper, services, channels by state."""

    def waits_for(self) -> dict[str, list[str]]:
        """Names, by kind, of what should run and does not. StoreError where the registry does not answer."""

    def vitals(self) -> dict[str, Any]:
        """Processes and machine, with what they use."""

    def usage(self, status: dict[str, Any], relays: Mapping[str, int | None]) -> list[dict[str, Any]]:
        """What every process has used since it began; `status` as told above, relays: their pids by name."""

    def examine(self) -> dict[str, Any]:
        """What should be mended on this machine."""

    def reload(self) -> dict[str, Any]:
        """Go over to the settings as they are now, and what has come of it. ConfigError: they cannot be used."""


def system_routes(system: System) -> flask.Blueprint:
    """Give the routes about the system."""
    routes = flask.Blueprint("system", __name__)
    instance = system.instance()

    @routes.get("/health")
    def health() -> flask.Response:
        return flask.jsonify(
            service="speeddata-registration-api",
            status="ok",
            version=speeddata.__version__,
            instance=instance,
        )

    @routes.get("/services")
    def services() -> flask.Response:
        response = flask.jsonify(reachable(system.services(), requested_host()))
        # Charts on a page of one's own, from anywhere, ask here for the live data.
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    @routes.get("/status")
    def status() -> flask.Response:
        return flask.jsonify(system.status())

    @routes.get("/system")
    def vitals() -> flask.Response:
        return flask.jsonify(system.vitals())

    @routes.get("/doctor")
    def examine() -> flask.Response:
        return flask.jsonify(system.examine())

    @routes.post("/reload")
    def reload() -> flask.Response:
        try:
            return flask.jsonify(system.reload())
        except ConfigError as error:
            details = "; ".join(error.problems)
            raise ApiProblem(
                409, "Settings cannot be used", details=details, problems=error.problems
            ) from None

    return routes


def requested_host() -> str:
    """The host name or address by which the client found us, without the port."""
    return host_of(flask.request.host)


def reachable(services: dict[str, dict[str, Any] | None], host: str) -> dict[str, dict[str, Any] | None]:
    """Services as a client can reach them: one bound to all addresses is where the client found us."""
    return {
        name: {**service, "host": host} if service and unspecified(service["host"]) else service
        for name, service in services.items()
    }


def unspecified(host: str) -> bool:
    """Whether an address stands for all addresses of the machine."""
    return ipaddress.ip_address(host).is_unspecified
