"""Jobs: claimed once, leased, tried again, given up, and in order where order matters."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from app.domain import jobs
from app.extensions import db


def added(*places):
    for queue, topic in places:
        jobs.add("work", {"of": topic}, queue=queue, topic=topic)
    db.session.commit()


def claimed():
    found = jobs.claim()
    db.session.commit()
    return found


def test_a_job_goes_to_one_of_those_who_ask(app):
    with app.app_context():
        added(("q", "a"))

        first, second = claimed(), claimed()
        assert (first.payload, first.attempts, second) == ({"of": "a"}, 1, None)
        assert jobs.finish(first) == "done"
        assert jobs.counts() == {}


def test_of_many_that_ask_at_once_each_gets_jobs_of_its_own(app):
    with app.app_context():
        added(*((f"q{number}", "a") for number in range(30)))

    def work(_):
        taken = []
        with app.app_context():
            while (found := claimed()) is not None:
                taken.append(found.id)
        return taken

    with ThreadPoolExecutor(6) as threads:
        taken = [job for each in threads.map(work, range(6)) for job in each]

    # who finds no job may only have met rows that others were taking at that moment
    with app.app_context():
        taken += work(0)
    assert len(taken) == len(set(taken)) == 30


def test_what_its_taker_does_not_end_is_taken_again_and_ended_once(app, clock):
    with app.app_context():
        added(("q", "a"))
        lost = claimed()
        clock.advance(jobs.LEASE_SECONDS)

        again = claimed()
        assert (again.id, again.attempts) == (lost.id, 2)
        assert [jobs.finish(lost), jobs.fail(lost)] == ["", ""]
        assert jobs.finish(again)


def test_a_queue_does_one_job_at_a_time_and_others_go_on(app):
    with app.app_context():
        added(("slow", "a"), ("slow", "b"), ("other", "a"))

        assert [claimed().payload["of"], claimed().payload["of"], claimed()] == ["a", "a", None]


def test_the_jobs_of_a_topic_keep_their_order_while_the_first_fails(app, clock):
    with app.app_context():
        added(("q", "a"), ("q", "a"), ("q", "b"))
        first = claimed()
        jobs.fail(first)
        db.session.commit()

        other = claimed()
        assert other.payload == {"of": "b"}
        jobs.finish(other)
        db.session.commit()
        assert claimed() is None
        clock.advance(12)
        assert claimed().id == first.id


def test_pauses_grow_for_a_day_and_then_the_job_is_dead_until_it_is_revived(app, clock):
    with app.app_context():
        added(("q", "a"))
        pauses, state = [], ""
        while state != "dead":
            taken = claimed()
            state = jobs.fail(taken)
            db.session.commit()
            pauses.append(db.session.scalar(select(jobs.Job.run_at)) - clock.now)
            clock.advance(pauses[-1])

        assert 10 <= pauses[0] <= 12
        assert pauses[:7] == sorted(pauses[:7])
        assert max(pauses) <= 6.5 * 3600
        assert 12 * 3600 < sum(pauses[:-1]) <= 86400 < sum(pauses)
        assert claimed() is None
        assert [jobs.revive(taken.id), jobs.revive(taken.id)] == [True, False]
        assert claimed().attempts == 1
