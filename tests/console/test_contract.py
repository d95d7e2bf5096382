"""The whole contract of docs/design.md section 5 as the console shows it, told by a bridge of the test: agents, transfer, notes, lists, triggers, gaps."""
import time

import pytest
from bridge import NS, Refusal
from lab.process import wait_until
from selenium.webdriver.common.keys import Keys
from server import record_of

ME = (f"<me xmlns='{NS}' jid='anna@example.org' name='Anna' roles='operator' pbx='hq' extension='201'>"
      "<feature name='dial'/><feature name='hangup'/><feature name='note'/>"
      "<service name='support' direction='inbound'><code code='solved' label='Solved'/><code code='open' label='Still open'/></service>"
      "<service name='campaign' direction='outbound'/>"
      "<reason code='lunch' label='Lunch'/><reason code='training' label='Training'/></me>")


def match(pages, number: int = 12) -> str:
    url = pages.address + record_of(number)[1:].replace("&", "&amp;")
    return f"<match module='Contacts' id='{number}' label='Ann Lee' organization='ACME' url='{url}' quality='exact'/>"


def agent(state: str, extra: str = "", inside: str = "") -> str:
    return f"<agent xmlns='{NS}' state='{state}' since='2026-11-20T15:00:00Z' pbx='hq' extension='201' {extra}>{inside}</agent>"


@pytest.fixture
def anna(bridge, tab):
    """Signed in at a bridge that knows ME and what the test adds to `bridge.answers`."""
    bridge.answers.setdefault("me", ME)
    return tab


def sign_in(tab):
    tab.sign_in("anna").online()
    tab.see("h1", "Anna")
    return tab


def test_agent_bar(bridge, anna):
    services = "<service name='support' state='in' penalty='1'/><service name='sales' state='failed' text='Queue sales does not exist'/>"
    bridge.answers.update({"agent": agent("ready", "actions='not-ready logged-out'", services), "agent!": ""})
    sign_in(anna)
    anna.see(".agent-state", "Ready")
    assert "failed" in anna.text(".services [data-service='failed']") and "does not exist" in anna.text(".services")
    assert not anna.all("[data-agent-action='ready']")[0].is_enabled()      # it is so already
    anna.picture("agent-ready")
    anna.choose(".agent select", "lunch")
    anna.press("n")
    asked = bridge.wait_for("agent")
    assert (asked.get("state"), asked.get("reason")) == ("not-ready", "lunch")
    bridge.say("<agent state='ready' since='2026-11-20T15:00:00Z' pending='not-ready' reason='lunch' actions='ready'/>")
    anna.see(".agent", "then: Not ready")                                   # promised, not in force yet
    bridge.say("<agent state='not-ready' since='2026-11-20T15:00:00Z' reason='lunch' by='pbx' actions='ready'/>")
    anna.see(".agent-state", "Not ready")
    assert "Lunch" in anna.text(".agent") and "by pbx" in anna.text(".agent")
    anna.press("r")
    wait_until(lambda: bridge.wait_for("agent").get("state") == "ready", 5, "ready was asked")


def test_wrap_up_counts_down_and_can_be_made_longer(bridge, anna):
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 90))
    bridge.answers.update({"agent": agent("wrap-up", f"until='{until}' actions='ready extend'"), "agent!": ""})
    sign_in(anna)
    anna.see(".agent-state", "After-call work")
    assert "1:2" in anna.text(".agent-state .time") and "left" in anna.text(".agent-state .time")
    anna.picture("wrap-up")
    anna.click(".agent button", "One minute more")
    assert bridge.wait_for("agent").get("extend") == "60s"


def test_a_refused_state_is_told_and_nothing_is_pretended(bridge, anna):
    def refuse(_):
        raise Refusal("conflict", "boris@example.org is signed in at extension 201")
    bridge.answers.update({"agent": agent("logged-out", "actions='ready'"), "agent!": refuse})
    sign_in(anna)
    anna.click("[data-agent-action='ready']")
    assert "boris@example.org is signed in" in anna.see(".notices p").text
    assert "Signed out" in anna.text(".agent-state")


def test_every_detail_of_a_pop(bridge, anna, pages):
    sign_in(anna)
    matches = match(pages) + "<match module='Accounts' id='13' label='ACME' quality='national'/><match known='true' owner='Boris'/><match module='Leads' id='9' label='Al' quality='suffix'/>"
    bridge.call("ringing", more="4", actions="answer hangup", parts=f"<party number='+447700900123' name='A LEE'/><dialed number='02079460201'/><queue name='support-queue' waited='83'/>"
                f"<service name='support' language='en' url='{pages.address}crm/page'/><variable name='contract'>4711</variable><variable name='mood'>patient</variable>{matches}")
    text = anna.state("ringing").text
    for part in ("Ann Lee", "ACME", "+44\u202f770\u202f090\u202f0123", "support-queue", "1:23", "support", "en", "contract", "4711", "patient", "national number", "perhaps",
                 "the record belongs to Boris", "4 more", "A LEE", "Answer", "Hang up", "Open record"):
        assert part in text, (part, text)
    anna.picture("pop-full")
    bridge.answers["answer!"] = ""
    anna.press("a")
    asked = bridge.wait_for("answer")
    assert (asked.get("id"), asked.get("leg")) == ("hq:1.0", "1.1")
    anna.press("o")
    wait_until(lambda: pages.opened() == ["/crm/page"], 5, "the service's page was opened")


def test_actions_follow_what_is_possible(bridge, anna):
    sign_in(anna)
    shown = "return [...document.querySelectorAll('.call .actions button')].map(b => b.dataset.action)"
    for state, actions in (("ringing", "answer hangup"), ("answered", "hangup hold transfer park consult"), ("held", "unhold hangup"), ("answered", "complete cancel"), ("answered", "")):
        bridge.call(state, actions=actions)
        wait_until(lambda actions=actions: sorted(anna.ask(shown)) == sorted(set(actions.split()) - {"consult"}), 5, f"the buttons are {actions}")
    bridge.call("answered", actions="hold hangup teleport")     # a word of the future is no button
    wait_until(lambda: anna.ask(shown) == ["hangup", "hold"], 5, "the buttons are those that are known")
    bridge.answers["hold!"] = lambda _: (_ for _ in ()).throw(Refusal("conflict"))
    anna.click(".call [data-action='hold']")
    anna.see(".notices p", "Not possible now")


def test_transfer_with_the_directory(bridge, anna):
    bridge.answers.update({"transfer!": "", "directory": f"<directory xmlns='{NS}'><colleague name='Boris Doležal' extension='202' state='busy'/>"
                           "<colleague name='Clara Dole' extension='203' state='idle'/><colleague name='David' extension='204' state='unavailable'/></directory>"})
    sign_in(anna)
    bridge.call("answered", actions="hangup transfer consult")
    anna.state("answered")
    anna.press("t")
    anna.type(".transfer input", "dole")
    wait_until(lambda: [one.text for one in anna.all(".transfer .people button")] == ["Clara Dole 203 free", "Boris Doležal 202 busy"], 5, "free colleagues come first")
    anna.picture("transfer")
    anna.click(".transfer .people button", "Clara")
    anna.click(".transfer button", "Ask first")
    asked = bridge.wait_for("transfer")
    assert (asked.get("mode"), asked.get("to"), asked.get("id"), asked.get("leg")) == ("attended", "203", "hq:1.0", "1.1")
    anna.see_no(".transfer")
    bridge.call("answered", actions="complete cancel")
    anna.click(".call [data-action='complete']")
    wait_until(lambda: bridge.wait_for("transfer").get("mode") == "complete", 5, "it was completed")
    bridge.call("ended", cause="transferred", actions="")
    anna.see(".past", "Transferred")
    anna.type("#dial", "clara")
    anna.click(".dial .people button", "Clara")
    assert anna.text("#dial-will") == "Will call 203"


def test_a_transfer_only_after_asking(bridge, anna):
    """A consultation may be allowed where a blind transfer is not, and the other way round."""
    bridge.answers["transfer!"] = ""
    sign_in(anna)
    for actions, mode in (("hangup consult", "attended"), ("hangup transfer", "blind")):
        bridge.call("answered", actions=actions)
        anna.state("answered")
        anna.click(".call [data-action='transfer']")
        anna.type(".transfer input", "202")
        assert len(anna.all(".transfer button")) == 1
        anna.type(".transfer input", Keys.ENTER)
        wait_until(lambda mode=mode: bridge.wait_for("transfer").get("mode") == mode, 5, f"{mode} was asked")
        anna.see_no(".transfer")


def test_a_parked_call_says_where_and_a_colleagues_call_is_picked_up(bridge, anna):
    bridge.answers.update({"me": ME.replace("<feature name='dial'/>", "<feature name='dial'/><feature name='pickup'/>"), "park!": f"<park xmlns='{NS}' slot='71'/>", "pickup!": "",
                           "directory": f"<directory xmlns='{NS}'><colleague name='Boris' extension='202' state='ringing' call='hq:9.0' leg='9.1'/></directory>"})
    sign_in(anna)
    bridge.call("answered", actions="hangup park")
    anna.click(".call [data-action='park']")
    anna.see(".notices p.good", "Parked: call 71")
    anna.type("#dial", "bor")
    anna.click(".dial .people button", "Pick up")
    asked = bridge.wait_for("pickup")
    assert (asked.get("id"), asked.get("leg")) == ("hq:9.0", "9.1")


def test_a_supervisor_keeps_the_own_state(bridge, anna):
    bridge.answers["agent"] = agent("ready", "jid='anna@example.org' actions='not-ready'")
    sign_in(anna)
    bridge.say("<agent jid='boris@example.org' state='not-ready' since='2026-11-20T15:00:00Z' actions='ready'/>")
    bridge.say("<agent jid='anna@example.org' state='talking' since='2026-11-20T15:00:00Z' actions='not-ready'/>")
    anna.see(".agent-state", "Talking")
    assert "boris" not in anna.text(".agent")


def test_a_supervisor_sees_the_own_people_and_changes_their_state(bridge, anna):
    def state(asked):
        if asked.tag.endswith("agent") and asked.get("on-behalf-of") == "boris@example.org":
            return agent("ready", "jid='boris@example.org' actions='not-ready'")
        if asked.get("on-behalf-of"):
            raise Refusal("forbidden")
        return agent("ready", "jid='anna@example.org' actions='not-ready'")
    bridge.answers.update({"me": ME.replace("roles='operator'", "roles='operator supervisor'"), "agent": state, "agent!": "",
                           "directory": f"<directory xmlns='{NS}'><colleague jid='boris@example.org' name='Boris' extension='202' state='idle'/>"
                           "<colleague jid='clara@example.org' name='Clara' extension='203' state='idle'/></directory>"})
    sign_in(anna)
    anna.see(".team li[data-jid='boris@example.org'][data-agent='ready']", "Boris")
    assert len(anna.all(".team li")) == 1                    # Clara is somebody else's
    anna.picture("team")
    anna.click(".team li [data-team-action='not-ready']")
    asked = bridge.wait_for("agent")
    assert (asked.get("on-behalf-of"), asked.get("state")) == ("boris@example.org", "not-ready")
    bridge.say("<agent jid='boris@example.org' state='not-ready' since='2026-11-20T15:00:00Z' reason='lunch' actions='ready'/>")
    anna.see(".team li[data-agent='not-ready']", "Lunch")
    anna.see(".agent-state", "Ready")                        # one's own
    bridge.answers["agent!"] = lambda _: (_ for _ in ()).throw(Refusal("forbidden", "not yours any more"))
    anna.click(".team li [data-team-action='ready']")
    anna.see(".notices p", "not yours any more")


def test_who_supervises_nobody_asks_for_nobody(bridge, anna):
    bridge.answers.update({"agent": agent("ready"), "directory": f"<directory xmlns='{NS}'><colleague jid='boris@example.org' name='Boris' extension='202' state='idle'/></directory>"})
    sign_in(anna)
    anna.see(".agent-state", "Ready")
    wait_until(lambda: bridge.wait_for("directory", "get") is not None, 5, "the directory was asked")
    time.sleep(0.5)
    assert [one for name, _, one in bridge.asked if name == "agent" and one.get("on-behalf-of")] == [] and not anna.all(".team")


def test_a_seat_is_chosen_before_signing_in(bridge, anna):
    seats = "<seat id='4' extension='204' place='window'/><seat id='5'/>"
    bridge.answers.update({"me": ME.replace("<service", seats + "<service", 1), "agent": agent("logged-out", "actions='ready'"), "agent!": ""})
    sign_in(anna)
    assert [one.text for one in anna.all("[data-part='seat'] option")] == ["my own phone", "4 · 204 · window", "5"]
    anna.choose("[data-part='seat']", "4")
    anna.click("[data-agent-action='ready']")
    asked = bridge.wait_for("agent")
    assert (asked.get("state"), asked.get("seat")) == ("ready", "4")
    bridge.say("<agent state='ready' since='2026-11-20T15:00:00Z' seat='4' extension='204' actions='not-ready logged-out'/>")
    anna.see("[data-part='sits']", "Seat 4")
    anna.see_no("[data-part='seat']")                        # nobody moves while signed in
    anna.click("[data-agent-action='not-ready']")
    assert bridge.wait_for("agent").get("seat") is None


@pytest.mark.parametrize("features, asked", [("<feature name='history'/><feature name='claim'/>", {"history"}), ("<feature name='directory'/>", {"directory"}), ("", {"history", "directory"})])
def test_what_the_bridge_does_not_name_is_not_asked_for(bridge, anna, features, asked):
    """An older bridge names neither, and is asked for both."""
    bridge.answers.update({"me": ME.replace("<feature name='note'/>", features), "history": f"<history xmlns='{NS}'/>", "directory": f"<directory xmlns='{NS}'/>"})
    sign_in(anna)
    wait_until(lambda: {name for name, _, _ in bridge.asked} >= asked, 5, "what there is was asked")
    time.sleep(0.3)
    assert {name for name, _, _ in bridge.asked} & {"history", "directory"} == asked
    assert len(anna.all(".lists .tabs button")) == (3 if "history" in asked else 2)


def test_a_link_that_was_down_before_is_shown(bridge, anna):
    bridge.current["link"] = "<link to='pbx' name='hq' state='down' since='2026-11-20T15:08:49Z'/>"
    sign_in(anna)
    anna.see(".links[data-bad='true']", "No telephone exchange hq since")
    bridge.current["link"] = "<link to='pbx' name='hq' state='up' since='2026-11-20T15:09:49Z'/>"
    bridge.seq += 5                                          # something was missed
    bridge.say("<link to='crm' name='' state='up' since='2026-11-20T15:09:49Z'/>")
    anna.see(".links[data-bad='false']", "All links are up")


def test_the_time_of_talking_is_the_bridges(bridge, anna):
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 90))
    sign_in(anna)
    bridge.call("held", at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), answered=began)
    anna.state("held")
    anna.reload().online()
    anna.state("held")
    assert anna.text(".call .state .time").startswith("1:3")


def test_note_survives_the_end_of_the_call_and_a_merge(bridge, anna):
    bridge.answers["note!"] = ""
    sign_in(anna)
    bridge.call("answered", id="hq:2.0", parts="<party number='+1'/><service name='support'/>")
    anna.state("answered")
    anna.press("c")
    anna.type(".call textarea", "Wants a call on Monday")
    bridge.call("answered", id="hq:1.0", replaces="hq:2.0", parts="<party number='+1'/><service name='support'/>")
    bridge.call("ended", id="hq:1.0", cause="hangup", actions="", parts="<party number='+1'/><service name='support'/>")
    anna.see_no(".call")
    assert anna.see(".last textarea").get_attribute("value") == "Wants a call on Monday"
    anna.choose(".last select", "open")
    anna.picture("note-after-the-call")
    anna.click(".last button", "Save")
    anna.see(".last [role='status']", "Saved")
    asked = bridge.wait_for("note")
    assert (asked.get("id"), asked.get("code"), asked.text) == ("hq:1.0", "open", "Wants a call on Monday")


def test_a_function_that_is_not_there_is_told_once_and_hidden(bridge, anna):
    sign_in(anna)
    bridge.call("answered")
    anna.state("answered")
    anna.type(".call textarea", "text")
    anna.click(".call .note button")
    anna.see(".notices p", "not part of version")
    anna.see_no(".call .note")


def test_text_that_xml_cannot_carry_does_not_end_the_stream(bridge, anna):
    bridge.answers["note!"] = ""
    sign_in(anna)
    bridge.call("answered")
    anna.state("answered")
    anna.paste(".call textarea", "a\u0001b \U0001F600 <&>")
    anna.click(".call .note button")
    assert bridge.wait_for("note").text == "ab \U0001F600 <&>"
    anna.online()


def test_lists_of_the_server_with_claim(bridge, anna):
    def past(number: int, **more):
        words = " ".join(f"{key}='{value}'" for key, value in {"cause": "cancelled", "disposition": "abandoned", **more}.items())
        return (f"<call xmlns='{NS}' pbx='hq' leg='{number}.1' id='hq:{number}.0' state='ended' direction='inbound' at='2026-11-20T15:08:49Z' started='2026-11-20T15:0{number}:00Z' {words}>"
                f"<party number='+42073676307{number}' name='Caller {number}'/><queue name='support'/></call>")
    claimed = []

    def history(asked):
        kinds.append(asked.get("kind"))
        return f"<history xmlns='{NS}'>{past(1, **({'claimed-by': 'anna@example.org'} if claimed else {}))}{past(2, **{'claimed-by': 'boris@example.org'})}</history>"
    kinds = []
    bridge.answers.update({"history": history, "claim!": lambda asked: claimed.append(asked.get("id")) or "", "dial!": f"<call xmlns='{NS}' id='hq:x' state='dialing'/>"})
    sign_in(anna)
    anna.click(".tabs button", "Abandoned")
    wait_until(lambda: kinds[-1] == "abandoned", 5, "the abandoned ones were asked")
    anna.see(".past", "boris@example.org takes it")
    assert len([one for one in anna.all(".past button") if one.text == "I take it"]) == 1
    anna.picture("abandoned")
    anna.click(".past button", "I take it")
    anna.see(".past", "anna@example.org takes it")
    assert claimed == ["hq:1.0"]
    anna.click(".past [data-action='call-back']")
    assert bridge.wait_for("dial").get("number") == "+420736763071"


def test_dial_for_a_service(bridge, anna):
    bridge.answers["dial!"] = f"<call xmlns='{NS}' id='hq:x' state='dialing'/>"
    sign_in(anna)
    anna.choose(".dial select", "campaign")
    anna.paste("#dial", "+420 736 763 072")
    anna.type("#dial", Keys.ENTER)
    asked = bridge.wait_for("dial")
    assert (asked.get("number"), asked.get("service")) == ("+420736763072", "campaign")


@pytest.mark.parametrize(("rule", "opens"), [
    ({"open": "ringing"}, "ringing"), ({"open": "answered"}, "answered"), ({"open": "click"}, None), ({"open": "never"}, None)])
def test_triggers_of_a_service(bridge, anna, pages, rule, opens):
    pages.config["services"] = {"support": rule, "*": {"open": "click"}}
    sign_in(anna.load(pages.address))
    parts = "<party number='+447700900123'/><service name='support'/>" + match(pages)
    bridge.call("ringing", parts=parts)
    anna.state("ringing")
    if opens == "ringing":
        wait_until(lambda: pages.opened() == [record_of(12)], 5, "the record was opened")
    bridge.call("answered", parts=parts)
    anna.state("answered")
    if opens == "answered":
        wait_until(lambda: pages.opened() == [record_of(12)], 5, "the record was opened")
    time.sleep(0.7)
    assert len(pages.opened()) == (1 if opens else 0)
    bridge.call("answered", leg="2.1", id="hq:2.0", parts=match(pages))     # of no service: on click only
    wait_until(lambda: len(anna.calls()) == 2, 5, "both are shown")
    time.sleep(0.5)
    assert len(pages.opened()) == (1 if opens else 0)


def test_the_rule_of_the_service_at_the_bridge_comes_first(bridge, anna, pages):
    pages.config["services"] = {"*": {"open": "ringing"}}
    sign_in(anna.load(pages.address))
    bridge.call("answered", pop="never", parts=match(pages))
    bridge.call("ringing", leg="2.1", id="hq:2.0", pop="answered", parts=match(pages, 13))
    wait_until(lambda: len(anna.calls()) == 2, 5, "both are shown")
    time.sleep(0.7)
    assert pages.opened() == []
    bridge.call("answered", leg="2.1", id="hq:2.0", pop="answered", parts=match(pages, 13))
    wait_until(lambda: pages.opened() == [record_of(13)], 5, "the record was opened at the answer")


@pytest.mark.parametrize(("parts", "title", "body"), [
    ("<party number='anonymous' withheld='true'/><queue name='support'/>", "Incoming call", "Number withheld · support"),
    ("<party number='+420736763072' name='P DOLEZAL'/>", "P DOLEZAL", "+420736763072"),
    ("<party number='+420736763072'/><match module='Contacts' id='1' label='Perhaps Ann' quality='suffix'/>", "Incoming call", "+420736763072")])
def test_notification_says_who_and_never_guesses(bridge, anna, parts, title, body):
    sign_in(anna)
    anna.ask("""window.shown = []; window.Notification = class { static permission = 'granted'; constructor(title, options) { shown.push([title, options.body]); } close() {} };
                document.hasFocus = () => false;""")
    bridge.call("ringing", parts=parts)
    anna.state("ringing")
    wait_until(lambda: anna.ask("return shown") == [[title, body]], 5, "it is told")


def test_a_lost_notice_is_made_up_for(bridge, anna):
    sign_in(anna)
    bridge.call("ringing")
    anna.state("ringing")
    bridge.call("ended", say=False)                     # lost on the way
    bridge.call("ringing", leg="2.1", id="hq:2.0", say=False)
    bridge.raw(f"<sync xmlns='{NS}' epoch='{bridge.epoch}' seq='{bridge.seq}'/>")
    wait_until(lambda: anna.calls() == [("hq 2.1", "ringing")], 5, "the picture is the bridge's")
    bridge.call("ended", leg="2.1", id="hq:2.0", cause="cancelled")
    anna.see_no(".call")


def test_a_new_life_of_the_bridge_hears_of_us_again(bridge, anna):
    sign_in(anna)
    bridge.call("ringing")
    anna.state("ringing")
    consoles = set(bridge.consoles)
    bridge.epoch, bridge.seq, bridge.current = "another", 0, {}
    bridge.raw(f"<sync xmlns='{NS}' epoch='another' seq='0'/>")
    bridge.consoles.clear()
    wait_until(lambda: bridge.consoles == consoles, 5, "directed presence came again")
    anna.see_no(".call")


def test_links_are_shown(bridge, anna):
    sign_in(anna)
    bridge.say("<link to='crm' name='crm' state='down' since='2026-11-20T15:08:49Z'/>")
    bridge.say("<link to='pbx' name='hq' state='down' since='2026-11-20T15:08:49Z'/>")
    anna.see(".links[data-bad='true']", "No customer database since")
    anna.see(".links[data-bad='true']", "No telephone exchange hq since")
    anna.picture("links-down")
    for name in ("crm", "pbx"):
        bridge.say(f"<link to='{name}' name='{'hq' if name == 'pbx' else 'crm'}' state='up' since='2026-11-20T15:09:49Z'/>")
    anna.see(".links[data-bad='false']", "All links are up")


def test_a_program_of_this_computer_is_opened_by_its_scheme_only_if_configured(bridge, anna, pages):
    pages.config["schemes"] = ["crmapp"]
    sign_in(anna.load(pages.address))
    bridge.call("ringing", parts="<service name='a' url='crmapp:open?12'/><match module='M' id='1' label='L' url='otherapp:12' quality='exact'/>")
    anna.state("ringing")
    assert [one.get_attribute("href") for one in anna.all(".call a")] == ["crmapp:open?12"]


def test_the_bridge_asks_who_we_are(bridge, anna):
    """Pings are how it sees that an operator is gone; an unknown question gets an error, not silence."""
    sign_in(anna)
    [console] = bridge.consoles
    for payload, kind in (("<ping xmlns='urn:xmpp:ping'/>", "result"), ("<query xmlns='http://jabber.org/protocol/disco#info'/>", "result"), ("<x xmlns='urn:x'/>", "error")):
        answers = []
        bridge.hear(answers.append, console, payload)
        assert wait_until(lambda answers=answers: answers, 5, "it is answered")[0] == kind


@pytest.mark.parametrize(("width", "height"), [(1360, 840), (1024, 768), (420, 800)])
def test_small_screens(bridge, anna, width, height):
    anna.front().driver.set_window_size(width, height)
    bridge.answers["agent"] = agent("talking", "actions='not-ready'")
    sign_in(anna)
    bridge.call("answered", actions="hangup hold transfer park", parts="<party number='+447700900123' name='A very long name of somebody who calls from far away'/>")
    anna.state("answered")
    assert anna.ask("return document.documentElement.scrollWidth <= innerWidth")
    box = anna.all(".call [data-action='hangup']")[0].rect
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    anna.picture(f"width-{width}")


def test_the_keyboard_reaches_everything(bridge, anna, pages):
    bridge.answers.update({"agent": agent("ready", "actions='not-ready logged-out'")})
    sign_in(anna)
    bridge.call("answered", actions="hangup hold transfer park", parts=match(pages))
    anna.state("answered")
    wanted = anna.ask("return [...document.querySelectorAll('button:not(:disabled), a[href], input, select, textarea')].filter(e => e.checkVisibility()).length")
    anna.ask("document.activeElement?.blur(); window.reached = new Set(); addEventListener('focusin', e => reached.add(e.target))")
    from selenium.webdriver import ActionChains
    for _ in range(wanted + 3):
        ActionChains(anna.driver).send_keys(Keys.TAB).perform()
    assert anna.ask("return reached.size") >= wanted
    names = anna.ask("""return [...document.querySelectorAll('button, a[href], input, select, textarea')].filter(e => e.checkVisibility()
        && !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length)).map(e => e.outerHTML)""")
    assert names == []                                  # a screen reader has a name for each
