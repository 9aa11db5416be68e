"""The bus: names are unique, every listener hears something that exists, every fact finds its place."""

import re

import pytest

from libs.contracts import topology
from libs.contracts.catalogue import CATALOGUE, of_service
from libs.contracts.subjects import covers, transformed

STREAMS = {stream.name: stream for stream in topology.STREAMS}
TAKEN_FROM_CITY = re.sub(r"\{\{wildcard\(\d+\)\}\}", "*", topology.STATE_TRANSFORM[1])
HELD = {name: stream.subjects or (TAKEN_FROM_CITY,) for name, stream in STREAMS.items()}


def test_streams_have_names_of_their_own() -> None:
    assert len(STREAMS) == len(topology.STREAMS)


def test_no_subject_is_kept_by_two_streams() -> None:
    subjects = [subject for stream in topology.STREAMS for subject in stream.subjects]
    clashes = [
        (one, other) for one in subjects for other in subjects if one is not other and covers(one, other)
    ]
    assert clashes == []


def test_a_source_comes_before_what_is_sourced_from_it() -> None:
    names = list(STREAMS)
    for stream in topology.STREAMS:
        assert stream.source is None or names.index(stream.source) < names.index(stream.name)


def test_a_stream_has_either_subjects_or_a_source() -> None:
    assert all(bool(stream.subjects) != bool(stream.source) for stream in topology.STREAMS)


def test_durables_have_names_of_their_own() -> None:
    durables = [consumer.durable for consumer in topology.CONSUMERS]
    assert len(durables) == len(set(durables))


@pytest.mark.parametrize("consumer", topology.CONSUMERS, ids=lambda consumer: consumer.durable)
def test_a_durable_asks_for_what_its_stream_holds(consumer: topology.Consumer) -> None:
    for wanted in consumer.filters:
        assert any(covers(held, wanted) for held in HELD[consumer.stream]), wanted


@pytest.mark.parametrize("consumer", topology.CONSUMERS, ids=lambda consumer: consumer.durable)
def test_a_durables_filters_do_not_overlap(consumer: topology.Consumer) -> None:
    pairs = [(one, other) for one in consumer.filters for other in consumer.filters if one is not other]
    assert not any(covers(one, other) for one, other in pairs)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_fact_is_kept_and_its_newest_lies_under_its_thing(name: str) -> None:
    subject = CATALOGUE[name].subject("krippe-1")
    service, aggregate = name.split(".")[:2]
    assert any(covers(held, subject) for held in topology.CITY.subjects)
    assert transformed(subject, topology.STATE_TRANSFORM) == f"state.{service}.{aggregate}.krippe-1"


def test_every_event_belongs_to_the_service_it_is_named_after() -> None:
    services = {name.split(".")[0] for name in CATALOGUE}
    assert {name: fact for service in services for name, fact in of_service(service).items()} == CATALOGUE
    assert all(fact.__module__ == f"libs.contracts.{fact.part('service')}" for fact in CATALOGUE.values())


def test_a_dead_letter_lies_where_its_listener_and_origin_say() -> None:
    origin = "city.offers.offer.published.v1.krippe-1"
    assert topology.dead_subject("search", origin) == f"dead.search.{origin}"


def test_a_dead_letter_that_failed_again_lies_where_it_lay() -> None:
    origin = "city.offers.offer.published.v1.krippe-1"
    replayed = f"{topology.replay_subject('search')}.{origin}"
    assert topology.dead_subject("search", replayed) == f"dead.search.{origin}"


@pytest.mark.parametrize("listener", topology.LISTENERS, ids=lambda listener: listener.name)
def test_a_replay_is_heard_by_its_listener_alone_and_never_by_state(listener: topology.Listener) -> None:
    replayed = f"{topology.replay_subject(listener.name)}.city.offers.offer.published.v1.krippe-1"
    heard = [
        one.durable for one in topology.CONSUMERS if any(covers(wanted, replayed) for wanted in one.filters)
    ]
    assert heard == [f"{listener.name}-replay"]
    assert not any(covers(held, replayed) for held in topology.CITY.subjects)
