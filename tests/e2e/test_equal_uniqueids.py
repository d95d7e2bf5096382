"""Two pbx that hand out equal Uniqueids for equal extensions, as two servers started in the same second do: simulated, so that they are truly equal."""
import pytest
from company import ANNA, BORIS, PAVEL, Company
from load.pbx import Simulated


@pytest.fixture(scope="module")
def running():
    pbxs = [Simulated("hq"), Simulated("branch")]

    def prepare(site):
        for user, extension in (("anna", "hq/201"), ("boris", "branch/201"), ("clara", "hq/202"), ("hugo", "branch/202")):
            site.database.rows("UPDATE vtiger_users SET phone_crm_extension = %s WHERE user_name = %s", extension, user, database="vtiger")
        for pbx in pbxs:
            pbx.pbx.epoch = pbxs[0].pbx.epoch
            site.add(pbx.start())
    company = Company(asterisk=(), prepare=prepare)
    yield company
    company.stop()
    for pbx in pbxs:
        pbx.close()


def test_every_pop_is_at_the_right_person_and_every_row_apart(running):
    hq, branch = running.pbxs
    here = hq.call("201", number=PAVEL)
    there = branch.call("201", number="+420799123456")
    assert here == there                                # the point of this test
    anna, boris = running.anna.expect(state="ringing"), running.boris.expect(state="ringing")
    assert anna.leg == boris.leg and (anna.id, boris.id) == (f"hq:{here}", f"branch:{here}")
    assert (anna.party.get("number"), [m.get("id") for m in anna.matches]) == (PAVEL, ["120"])
    assert (boris.party.get("number"), boris.matches) == ("+420799123456", [])
    for client, who, number in ((running.anna, ANNA, PAVEL), (running.boris, BORIS, "+420799123456")):
        ended = client.expect(timeout=20, state="ended")
        assert {n.pbx for n in client.find()} == {ended.pbx} and [n.state for n in client.find()] == ["ringing", "answered", "ended"]
        row = running.call_row(ended.id)
        assert (row["caller_number"], row["answered_by"], row["disposition"]) == (number, who, "answered")
        assert [leg["jid"] for leg in running.leg_rows(ended.id, 1)] == [who]
        running.crm_row(ended.id, "completed")
    assert running.clara.find() == []
