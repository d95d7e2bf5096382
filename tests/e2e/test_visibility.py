"""`visibility: crm`, the default: an operator is shown what the CRM would show them (sharing rules of the real vTiger, tests/data/vtiger)."""
import pytest
from conftest import need
from lab.site import Site

ANNA_MAY_SEE, ANNA_MAY_NOT = "54", "57"       # visibility.tsv: user 5


@pytest.fixture(scope="module")
def site():
    need("asterisk-22")
    site = Site(phones=("201",))
    site.daemon.config["crm"]["visibility"] = "crm"
    site.daemon.write()
    site.start_daemon()
    yield site
    site.stop()


def contact(site, record):
    rows = site.database.rows("SELECT label, COALESCE(NULLIF(d.mobile, ''), d.phone) AS number FROM vtiger_crmentity e "
                              "JOIN vtiger_contactdetails d ON d.contactid = e.crmid WHERE e.crmid = %s", record, database="vtiger")
    assert rows[0]["number"]
    return rows[0]["label"], rows[0]["number"]


def pop_of(site, anna, number):
    call = site.provider.call("02079460201", "".join(c for c in number if c.isdigit() or c == "+"))
    pop = anna.expect(state="ringing")
    call.hangup()
    anna.expect(state="ended", leg=pop.leg)
    anna.clear()
    return pop


def test_a_record_the_operator_may_not_see_is_only_known(site):
    anna = site.client("anna")
    label, number = contact(site, ANNA_MAY_NOT)
    pop = pop_of(site, anna, number)
    shown = repr(pop)
    assert label not in shown and f"record={ANNA_MAY_NOT}" not in shown and pop.oob is None
    known = pop.matches
    assert [(m.get("known"), m.get("id"), m.get("label"), m.get("url")) for m in known] == [("true", None, None, None)]
    assert known[0].get("owner")


def test_a_record_the_operator_may_see_is_shown_with_its_link(site):
    anna = site.client("anna", resource="second")
    label, number = contact(site, ANNA_MAY_SEE)
    pop = pop_of(site, anna, number)
    assert [(m.get("id"), m.get("label")) for m in pop.matches] == [(ANNA_MAY_SEE, label)]
    assert f"record={ANNA_MAY_SEE}" in pop.body


def test_lookup_as_an_operator_agrees_with_the_pop(site):
    label, number = contact(site, ANNA_MAY_NOT)
    done = site.daemon.command("lookup", "--json", "--as", "anna@example.org", number)
    assert done.returncode == 0, done.stderr
    assert label not in done.stdout and '"known"' in done.stdout
    assert label in site.daemon.command("lookup", "--json", number).stdout
