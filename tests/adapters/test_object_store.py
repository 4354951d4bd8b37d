"""One suite for the port ``ObjectStore``: in memory, on moto and on the local AWS."""

from __future__ import annotations

import pytest

from mlops_framework.aws.objects import S3Objects
from mlops_framework.orchestration.errors import ServiceRefused
from mlops_framework.testing.objects import InMemoryObjects

JSON = "application/json"


@pytest.fixture(params=["memory", "moto", "emulator"])
def store(request, new_bucket):
    if request.param == "memory":
        return InMemoryObjects()
    client_of = request.getfixturevalue(request.param)
    return S3Objects(client_of("s3"), new_bucket(client_of))


def test_an_object_is_there_once_it_was_put(store) -> None:
    assert not store.exists("a.json")

    store.put("a.json", b"1", content_type=JSON)

    assert store.exists("a.json")


def test_put_once_writes_the_first_and_leaves_it(store) -> None:
    assert store.put_once("a.json", b"1", content_type=JSON) is True
    assert store.put_once("a.json", b"2", content_type=JSON) is False


def test_a_deleted_object_is_gone_and_deleting_it_again_is_fine(store) -> None:
    store.put("a.json", b"1", content_type=JSON)

    store.delete("a.json")
    store.delete("a.json")

    assert not store.exists("a.json")


@pytest.mark.parametrize("place", ["moto", "emulator"])
def test_a_deleted_object_keeps_its_versions(request, new_bucket, place) -> None:
    client_of = request.getfixturevalue(place)
    client, bucket = client_of("s3"), new_bucket(client_of)
    store = S3Objects(client, bucket)
    store.put("a.json", b"1", content_type=JSON)
    store.put("a.json", b"2", content_type=JSON)

    store.delete("a.json")

    listed = client.list_object_versions(Bucket=bucket)
    assert len(listed["Versions"]) == 2
    assert len(listed["DeleteMarkers"]) == 1


def test_a_bucket_that_is_not_there_is_a_refusal(moto) -> None:
    store = S3Objects(moto("s3"), "nowhere")

    with pytest.raises(ServiceRefused, match="S3 refused PutObject"):
        store.put("a.json", b"1", content_type=JSON)
