"""Runs jobs on Headframe with the public evo-compute client, unmodified.

    HEADFRAME_URL=http://127.0.0.1:3000 HEADFRAME_ORG=<uuid> HEADFRAME_TOKEN=<token> python kriging.py

Ends 0 when everything went as it should: kriging jobs that succeed, jobs that fail, one that is
canceled, and requests that are refused.
"""

import asyncio
import csv
import math
import os
from pathlib import Path
from uuid import UUID

from evo.aio import AioTransport
from evo.common import APIConnector
from evo.common.exceptions import EvoAPIException
from evo.common.interfaces import IFeedback
from evo.compute import JobClient, JobStatusEnum
from evo.compute.exceptions import JobError
from evo.compute.tasks import SearchNeighborhood
from evo.compute.tasks.common import (
    AllOfFilter,
    BlockDiscretization,
    Ellipsoid,
    EllipsoidRanges,
    Filter,
    FilterCondition,
)
from evo.oauth import AccessTokenAuthorizer

URL = os.environ.get("HEADFRAME_URL", "http://127.0.0.1:3000")
ORG = UUID(os.environ["HEADFRAME_ORG"])
TOKEN = os.environ["HEADFRAME_TOKEN"]

MEUSE = Path(__file__).parent.parent / "meuse"


class Print(IFeedback):
    """What wait_for_results calls with 0.0 to 1.0 and a message."""

    def progress(self, progress: float, message: str | None = None) -> None:
        print(f"  {progress:4.0%}  {message or ''}")


def table(name: str) -> list[dict[str, float]]:
    with open(MEUSE / name, newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def sphere(radius: float) -> dict:
    return {
        "ellipsoid_ranges": {"major": radius, "semi_major": radius, "minor": radius},
        "rotation": {"dip_azimuth": 0, "dip": 0, "pitch": 0},
    }


def kriging_parameters() -> dict:
    """Ordinary kriging of log zinc at the 3,103 cells of the Meuse flood plain, from 155 samples."""
    samples = table("samples.csv")
    return {
        "source": {
            "coordinates": [[row["x"], row["y"]] for row in samples],
            "values": [math.log(row["zinc"]) for row in samples],
        },
        "target": {"coordinates": [[row["x"], row["y"]] for row in table("grid.csv")]},
        "variogram": {
            "nugget": 0.05066,
            "structures": [
                {"variogram_type": "spherical", "contribution": 0.59061, "anisotropy": sphere(896.97)}
            ],
        },
        "neighborhood": {"ellipsoid": sphere(3000), "max_samples": 20},
        "kriging_method": {"type": "ordinary"},
    }


async def a_job_that_succeeds(connector: APIConnector) -> None:
    print("geostatistics/kriging")
    job = await JobClient.submit(connector, ORG, "geostatistics", "kriging", kriging_parameters())
    results = await job.wait_for_results(polling_interval_seconds=0.5, fb=Print())
    summary = results["summary"]
    print(f"  {results['message']}")
    print(f"  min {summary['min']:.3f}, mean {summary['mean']:.3f}, max {summary['max']:.3f}")
    assert len(results["target"]["values"]) == 3103

    # Another process may take the job up again by its address.
    again = JobClient.from_url(connector, job.url)
    assert await again.get_results() == results


async def a_job_from_the_clients_models(connector: APIConnector) -> None:
    print("geostatistics/kriging of blocks, from samples that a filter leaves")
    samples = table("samples.csv")
    near_the_river = Filter(
        where=AllOfFilter(
            filters=[
                FilterCondition(attribute="soil", operator="in", values=["wet", "damp"]),
                FilterCondition(attribute="dist", operator="less_than", threshold=0.2),
            ]
        )
    )
    neighborhood = SearchNeighborhood(
        ellipsoid=Ellipsoid(ranges=EllipsoidRanges(3000, 3000, 3000)), max_samples=20
    )
    parameters = kriging_parameters()
    parameters["source"]["attributes"] = {
        "dist": [row["dist"] for row in samples],
        "soil": ["wet" if row["elev"] < 7 else "damp" if row["elev"] < 8 else "dry" for row in samples],
    }
    parameters["source"]["filter"] = near_the_river.model_dump()
    parameters["target"] = {"grid": {"origin": [180500, 331500], "spacing": [500, 500], "size": [2, 2]}}
    parameters["neighborhood"] = neighborhood.model_dump(mode="json")
    parameters["block_discretization"] = BlockDiscretization(nx=4, ny=4).model_dump()
    job = await JobClient.submit(connector, ORG, "geostatistics", "kriging", parameters)
    results = await job.wait_for_results(polling_interval_seconds=0.5)
    print(f"  {results['message']}")

    # The same from the samples that were meant, chosen here.
    chosen = [i for i, row in enumerate(samples) if row["elev"] < 8 and row["dist"] < 0.2]
    source = kriging_parameters()["source"]
    parameters["source"] = {name: [source[name][i] for i in chosen] for name in source}
    job = await JobClient.submit(connector, ORG, "geostatistics", "kriging", parameters)
    again = await job.wait_for_results(polling_interval_seconds=0.5)
    assert again["target"] == results["target"]


async def a_job_with_progress(connector: APIConnector) -> None:
    print("diagnostics/sleep")
    job = await JobClient.submit(connector, ORG, "diagnostics", "sleep", {"seconds": 2, "steps": 4})
    await job.wait_for_results(polling_interval_seconds=0.5, fb=Print())


async def a_job_that_fails(connector: APIConnector) -> None:
    print("diagnostics/sleep that fails")
    fault = {"status": 422, "title": "Nothing to estimate.", "detail": "Give at least one target."}
    job = await JobClient.submit(
        connector, ORG, "diagnostics", "sleep", {"seconds": 0, "fail": fault}
    )
    try:
        await job.wait_for_results(polling_interval_seconds=0.5)
    except JobError as error:
        print(f"  JobError {error.status}: {error.title} {error.detail}")
    else:
        raise AssertionError("the job was to fail")


async def a_job_that_is_canceled(connector: APIConnector) -> None:
    print("diagnostics/sleep, canceled while it runs")
    job = await JobClient.submit(
        connector, ORG, "diagnostics", "sleep", {"seconds": 60, "steps": 600}
    )
    while not ((status := await job.get_status()).message or "").startswith("Slept"):
        await asyncio.sleep(0.1)
    print(f"  {status}")
    await job.cancel()
    try:
        await job.wait_for_results(polling_interval_seconds=0.1, fb=Print())
    except JobError as error:
        print(f"  JobError {error.status}: {error.title}")
    print(f"  {(await job.get_status()).status}")
    await job.cancel()  # changes nothing, and is no error


async def a_request_that_is_refused(connector: APIConnector) -> None:
    print("geostatistics/kriging with a negative nugget")
    parameters = kriging_parameters()
    parameters["variogram"]["nugget"] = -1
    try:
        await JobClient.submit(connector, ORG, "geostatistics", "kriging", parameters)
    except EvoAPIException as error:
        print(f"  {error.status}: {error.content['detail']} {error.content['invalid-params']}")
    else:
        raise AssertionError("the parameters were to be refused")


async def limits_that_need_drillholes(connector: APIConnector) -> None:
    print("geostatistics/kriging with a limit by drillhole")
    parameters = kriging_parameters()
    neighborhood = SearchNeighborhood(
        ellipsoid=Ellipsoid(ranges=EllipsoidRanges(3000, 3000, 3000)),
        max_samples=20,
        max_samples_per_drillhole=3,
    )
    parameters["neighborhood"] = neighborhood.model_dump(mode="json")
    try:
        await JobClient.submit(connector, ORG, "geostatistics", "kriging", parameters)
    except EvoAPIException as error:
        print(f"  {error.status}: {error.content['detail']}")
    else:
        raise AssertionError("the limit was to be refused")


async def main() -> None:
    # A token from elsewhere, instead of the client's own sign-in; plain http is fine for the client.
    connector = APIConnector(
        URL, AioTransport(user_agent="headframe-example"), AccessTokenAuthorizer(TOKEN)
    )
    async with connector:  # one connection pool for all of it
        await a_job_that_succeeds(connector)
        await a_job_from_the_clients_models(connector)
        await a_job_with_progress(connector)
        await a_job_that_fails(connector)
        await a_job_that_is_canceled(connector)
        await a_request_that_is_refused(connector)
        await limits_that_need_drillholes(connector)


asyncio.run(main())
