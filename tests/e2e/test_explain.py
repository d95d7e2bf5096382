"""Why was there no pop? `ctibridge explain` on the living daemon names the cause and what to do, in each of the usual situations; `status` shows the links."""
import json
import time

import pytest
from company import ALFA, ANNA, BORIS, CLARA, DAVID, FILIP, HUGO, NOBODY
from lab.client import error_of
from lab.process import wait_until
from lab.proxy import Proxy
from load.pbx import Simulated
from load.session import message
from quick import Quick

SEEN, HIDDEN = "54", "57"       # contacts that Anna may and may not see (visibility.tsv)
SEATS = {"anna": "hq/201", "boris": "hq/202", "clara": "hq/203", "filip": "hq/205", "david": "hq/206", "hugo": "branch/207", "eva": "208", "gita": "", "admin": ""}


@pytest.fixture(scope="module")
def running():
    """Two simulated exchanges; the XMPP server and the database behind links that can be cut."""
    kept = {}

    def prepare(site):
        kept["branch"] = Simulated("branch", extensions=("207",))
        site.add(kept["branch"].start())
        for user, extension in SEATS.items():
            site.database.rows("UPDATE vtiger_users SET phone_crm_extension = %s WHERE user_name = %s", extension, user, database="vtiger")
        site.database.rows("UPDATE vtiger_users SET status = 'Inactive' WHERE user_name = 'david'", database="vtiger")
        site.database.rows("UPDATE vtiger_users SET is_admin = 'on' WHERE user_name = 'clara'", database="vtiger")
        kept["xmpp"], kept["database"] = site._begin(Proxy(site.xmpp.component)), site._begin(Proxy(site.database.port))
        config = site.daemon.config
        config["xmpp"]["port"] = kept["xmpp"].port
        config["crm"]["visibility"] = "crm"
        config["crm"]["url"] = f"mysql://ctibridge@127.0.0.1:{kept['database'].port}/vtiger"
        config["database"]["url"] = f"mysql://ctibridge@127.0.0.1:{kept['database'].port}/ctibridge"
    company = Quick(prepare)
    company.kept = kept
    yield company
    company.stop()
    kept["branch"].close()


@pytest.fixture
def calm(running):
    running.calm()
    yield running
    running.kept["xmpp"].mend()
    running.kept["database"].mend()
    wait_until(lambda: status(running)[0] == 0, 40, "every link is up again", 0.2)
    running.calm()


def status(company):
    done = company.daemon.command("status", "--json")
    return done.returncode, json.loads(done.stdout) if done.stdout else None


def explain(company, of, *options) -> dict:
    done = company.daemon.command("explain", "--json", *options, of)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["known"] else 1)
    return report


def reasons(report) -> list:
    return [reason for call in report["calls"] for reason in call["reasons"]]


def why(company, of, wanted, timeout=8) -> dict:
    """The report, once it has this reason."""
    def found():
        report = explain(company, of)
        return report if any(r["why"] == wanted for r in reasons(report)) else None
    try:
        return wait_until(found, timeout, f"explain {of} says {wanted}", 0.1)
    except Exception as error:
        raise AssertionError(f"{error}; it says {company.daemon.command('explain', '--all', of).stdout}") from None


def reason(report, wanted) -> dict:
    return next(r for r in reasons(report) if r["why"] == wanted)


def contact(company, record) -> str:
    rows = company.database.rows("SELECT COALESCE(NULLIF(mobile, ''), phone) AS number FROM vtiger_contactdetails WHERE contactid = %s", record, database="vtiger")
    return "".join(c for c in rows[0]["number"] if c.isdigit() or c == "+")


def text(company, of) -> str:
    return company.daemon.command("explain", of).stdout


# ---- nobody is told

NOBODY_IS_TOLD = {
    "unknown extension": ("209", "operator_unknown_extension", "", "nobody is entered for extension 209"),
    "inactive operator": ("206", "operator_inactive", DAVID, "who is not active"),
    "operator of another exchange": ("207", "operator_elsewhere", HUGO, "has it at the exchange `branch`"),
    "no exchange named": ("208", "operator_without_pbx", "eva@example.org", "none is named for eva@example.org"),
}


@pytest.mark.parametrize("situation", NOBODY_IS_TOLD)
def test_nobody_is_told(calm, situation):
    extension, wanted, jid, words = NOBODY_IS_TOLD[situation]
    call = calm.ring(extension)
    report = why(calm, call, wanted)
    assert words in reason(report, wanted)["sentence"] and reason(report, wanted)["advice"]
    assert any(words in line for line in report["calls"][0]["summary"]), report["calls"][0]["summary"]
    assert reason(report, wanted)["data"]["extension"] == extension
    assert words in text(calm, extension) and words in text(calm, call.partition(":")[2])
    if jid:
        assert words in text(calm, jid)
    assert calm.anna.find() == calm.boris.find() == calm.clara.find() == []


def test_the_operator_is_offline(calm):
    call = calm.ring("205")
    report = why(calm, call, "pop_to_everybody")
    assert reason(report, "pop_to_everybody")["data"]["to"] == FILIP
    assert "nobody if none is" in text(calm, FILIP) and "No console and no Spark of theirs is known" in text(calm, FILIP)
    assert explain(calm, FILIP)["operator"]["rings"][0]["state"] == "ringing"


def test_xmpp_is_down(calm):
    calm.kept["xmpp"].cut()
    wait_until(lambda: status(calm)[0] == 1, 10, "status sees the lost link", 0.1)
    call = calm.ring("202")
    report = why(calm, call, "not_told_xmpp_down")
    assert BORIS in report["calls"][0]["summary"][0] and "could not be reached" in report["calls"][0]["summary"][0]
    assert any("xmpp is down since" in hint for hint in report["hints"])
    calm.kept["xmpp"].mend()
    # It still rings when the link is back.
    report = why(calm, call, "pop_confirmed", 30)
    assert any(f"{BORIS} was sent the pop (confirmed" in line for line in report["calls"][0]["summary"])


# ---- the pop has no name

def test_the_caller_is_anonymous(calm):
    call = calm.ring("202", number="anonymous")
    calm.boris.expect(state="ringing")
    assert "shows no number" in reason(why(calm, call, "party_withheld"), "party_withheld")["sentence"]


def test_the_number_is_in_no_record(calm):
    call = calm.ring("202", number=NOBODY)
    report = why(calm, call, "no_match")
    assert NOBODY in reason(report, "no_match")["sentence"] and "confirmed by the CRM's database" in reason(report, "no_match")["sentence"]
    assert reason(report, "no_match")["advice"].count(NOBODY) == 1


def test_the_number_is_in_several_records(calm):
    call = calm.ring("203", number=ALFA)
    found = reason(why(calm, call, "match_ambiguous"), "match_ambiguous")
    assert found["jid"] == CLARA and found["data"]["count"] == "2" and "none is picked" in found["sentence"]


def test_the_record_may_not_be_seen(calm):
    call = calm.ring("201", number=contact(calm, HIDDEN))
    found = reason(why(calm, call, "match_hidden"), "match_hidden")
    assert found["jid"] == ANNA and found["data"]["owner"] in found["sentence"] and "sharing rules" in found["advice"]
    seen = reason(why(calm, calm.ring("201", number=contact(calm, SEEN)), "match_chosen"), "match_chosen")
    assert seen["data"]["record"] == SEEN and "confirmed by the CRM's database" in seen["sentence"]


def test_the_database_does_not_answer(calm):
    calm.kept["database"].freeze()
    call = calm.ring("203", number=contact(calm, SEEN))
    report = why(calm, call, "asked_too_late")
    assert "within the budget of 150 ms" in reason(report, "asked_too_late")["sentence"]
    assert reason(report, "match_chosen")["data"]["record"] == SEEN


def test_the_database_is_down(calm):
    calm.kept["database"].cut()
    wait_until(lambda: not next(link for link in status(calm)[1]["links"] if link["name"] == "crm")["state"] == "up", 20, "the link to the CRM is down", 0.1)
    call = calm.ring("203", number=contact(calm, SEEN))
    report = why(calm, call, "asked_database_down")
    assert "our own index alone" in reason(report, "asked_database_down")["sentence"]
    assert reason(report, "match_chosen")["data"]["record"] == SEEN


def test_a_colleague_calls(calm):
    call = calm.ring("201", number="202")
    assert "colleagues are not looked up" in reason(why(calm, call, "party_internal"), "party_internal")["sentence"]


# ---- the pop went away

def test_the_call_was_answered_elsewhere(calm):
    """A group of two phones: one takes it, the other's pop is taken back."""
    root, one, two = (f"{int(time.time())}.{90 + n}" for n in range(3))

    def event(name, uniqueid, channel="", **more):
        fields = {"Event": name, "Privilege": "call,all", "Channel": channel, "Uniqueid": uniqueid, "Linkedid": root, "Context": "from-trunk", **more}
        calm.exchange.do("_event", "call", message(*fields.items()))

    event("Newchannel", root, "PJSIP/provider-00000090", ChannelStateDesc="Ring", CallerIDNum=NOBODY, CallerIDName="", Exten="02079460200")
    for uniqueid, extension in ((one, "201"), (two, "202")):
        event("Newchannel", uniqueid, f"PJSIP/{extension}-{uniqueid[-2:]}", ChannelStateDesc="Down", CallerIDNum="", CallerIDName="", Exten="s")
        event("DialBegin", root, "PJSIP/provider-00000090", DestUniqueid=uniqueid, DestLinkedid=root)
        event("Newstate", uniqueid, f"PJSIP/{extension}-{uniqueid[-2:]}", ChannelStateDesc="Ringing")
    event("Newstate", two, f"PJSIP/202-{two[-2:]}", ChannelStateDesc="Up")
    event("DialEnd", root, "PJSIP/provider-00000090", DestUniqueid=two, DestLinkedid=root, DialStatus="ANSWER")
    event("Hangup", one, f"PJSIP/201-{one[-2:]}", Cause="26")
    report = why(calm, "hq:" + root, "pop_withdrawn")
    assert reason(report, "answered_elsewhere")["jid"] == ANNA
    assert reason(report, "pop_withdrawn")["jid"] == ANNA and reason(report, "pop_withdrawn")["data"]["cause"] == "answered-elsewhere"
    for uniqueid in (two, root):
        event("Hangup", uniqueid, Cause="16")
    why(calm, "hq:" + root, "call_ended")


def test_the_pop_was_taken_back(calm):
    call = calm.ring("202", kind="cancelled")
    pop = calm.boris.expect(state="ringing")
    calm.boris.expect(state="ended", leg=pop.leg, timeout=20)
    report = why(calm, call, "pop_withdrawn")
    assert "cancelled" in reason(report, "pop_withdrawn")["sentence"]
    told = text(calm, call)
    assert told.index("Phone 202 (PJSIP/202) rang") < told.index("the pop (ringing) was sent") < told.index("was taken back") < told.index("The call ended")
    assert f"{BORIS} was sent the pop (confirmed by the XMPP server)." in told


def test_a_dial_is_refused(calm):
    answer = calm.anna.dial("+420900123456")
    assert error_of(answer) == "not-acceptable"
    report = why(calm, ANNA, "refused_request")
    refused = reason(report, "refused_request")
    assert refused["data"]["rule"] == "deny:+420900*" and "may not be called from here" in refused["sentence"]
    assert "refused by the rule `deny:+420900*`" in text(calm, "900 123 456")


# ---- what else may be asked

def test_a_number_is_found_in_every_form(calm):
    call = calm.ring("202", number=NOBODY)
    why(calm, call, "no_match")
    for form in (NOBODY, "799 123 456", "00420 799 123 456", "tel:+420-799-123-456"):
        assert call in [c["call"] for c in explain(calm, form)["calls"]], form


def test_where_nothing_is_known_it_says_what_to_look_at(calm):
    for of, words in (("+420555666777", "Nothing was decided about"), ("ana@example.org", "Did you mean anna@example.org?"), ("hq:1.1", "Is the id whole"),
                      ("299", "nobody is entered for this extension")):
        done = calm.daemon.command("explain", of)
        assert done.returncode == 1 and words in done.stdout, (of, done.stdout, done.stderr)


def test_personal_data_is_not_in_the_log_at_info(calm):
    """What `explain` tells stays in memory: at debug only the log has it."""
    call = calm.ring("202", number=NOBODY)
    why(calm, call, "no_match")
    for line in calm.daemon.text().splitlines():
        if line.startswith(("<3>", "<4>", "<6>")):
            assert NOBODY not in line and BORIS not in line, line


def test_status_at_a_glance_and_for_scripts(calm):
    code, report = status(calm)
    assert code == 0 and report["all_up"] and {link["name"] for link in report["links"]} == {"pbx:hq", "pbx:branch", "xmpp", "crm", "database"}
    assert report["people"]["without_pbx"] == 1 and report["index"]["records"] > 100 and report["index"]["followed"]
    calm.ring("202")
    calm.boris.expect(state="ringing")
    wait_until(lambda: status(calm)[1]["calls"] == {"hq": 1, "branch": 0}, 5, "the call is counted", 0.1)
    calm.kept["branch"].stop()
    wait_until(lambda: status(calm)[0] == 1, 10, "status sees the lost exchange", 0.1)
    shown = calm.daemon.command("status")
    assert shown.returncode == 1 and "pbx:branch   DOWN" in shown.stdout and "pbx:hq       up" in shown.stdout
    calm.kept["branch"].start()


def test_without_a_daemon_the_exit_code_is_2(calm, tmp_path):
    other = tmp_path / "ctibridge.yaml"
    other.write_text(calm.daemon.file.read_text().replace(calm.daemon.config["control"], str(tmp_path / "nobody")))
    import subprocess

    from lab.daemon import binary
    for command in (["status"], ["explain", ANNA]):
        done = subprocess.run([str(binary()), command[0], "--config", str(other), *command[1:]], capture_output=True, text=True)
        assert done.returncode == 2 and "no ctibridge answers at" in done.stderr, done
