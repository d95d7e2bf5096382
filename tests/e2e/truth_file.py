"""What a test said of its calls and what the phones wrote down, in the form of the truth.json of tests/data, so that the session of a test can become one of the
recorded traces. Nothing in it comes from the bridge: ids are from the tape, times from phones and provider; what nobody saw is null (not compared)."""
import re


def of(kinds, calls) -> list:
    born = [e for e in kinds.tape.events("Newchannel") if not e["Channel"].startswith("Local/")]
    first = [e for e in born if e["Uniqueid"] == e["Linkedid"]]
    assert len(first) == len(calls), (len(first), calls)
    older = [i for i, call in enumerate(calls) if not call.get("merged")]
    found = []
    for i in older:
        merged = [first[j]["Linkedid"] for j, call in enumerate(calls) if call.get("merged")] if len(older) == 1 else []
        found.append(_call(kinds, calls[i], first[i], merged, born))
    return found


def _call(kinds, call, channel, merged, born) -> dict:
    mine = [e for e in born if e["Linkedid"] in (channel["Linkedid"], *merged)]
    legs = _legs(kinds, call, mine, born)
    disposition = call.get("disposition")
    right = disposition if isinstance(disposition, tuple) else (disposition,)
    truth = {"trace": f"{kinds.site.pbx.version}-{kinds.name}", "call": channel["Uniqueid"], "direction": call["direction"], "caller": call["caller_number"],
             "dialed": channel["Exten"], "queue": call["queue"], "disposition": right[0], "legs": legs}
    if len(right) > 1:
        truth["accept"] = {"disposition": list(right[1:])}
    if merged:
        truth["merged"] = merged
    outside = next((c for c in kinds.site.provider.calls if not c.from_pbx and call["direction"] == "inbound" and c.number == call["caller_number"]), None)
    start, end = (kinds.tape.ms(outside.times["new"]), kinds.tape.ms(outside.times["ended"])) if outside else (None, None)
    answers = [state[1] for leg in legs for state in leg["states"] if state[0] == "answered" and state[1] is not None]
    answer = min(answers) if answers and right[0] == "answered" else None
    truth.update(start_ms=start, end_ms=end, wait_ms=answer - start if answer and start is not None and call.get("answered_by") else None,
                 talk_ms=0 if right[0] != "answered" else end - answer if answer and end is not None and call.get("answered_by") else None)
    return truth


def _legs(kinds, call, mine, born) -> list:
    legs = []
    for extension in sorted({leg[0] for leg in call["legs"]}):
        device = kinds.device(extension)
        channels = [e for e in born if e["Channel"].rsplit("-", 1)[0] == device]
        lived = dict(zip((e["Uniqueid"] for e in channels), kinds.phone(extension).calls, strict=True))
        said = [leg for leg in call["legs"] if leg[0] == extension]
        for leg, channel in zip(said, (e for e in channels if e in mine), strict=True):
            causes = leg[2] if isinstance(leg[2], tuple) else (leg[2],)
            one = {"extension": extension, "uniqueid": channel["Uniqueid"], "states": _states(kinds, leg[1], causes[0], lived[channel["Uniqueid"]])}
            if len(causes) > 1:
                one["accept_cause"] = list(causes[1:])
            legs.append(one)
    return legs


def _states(kinds, words: str, cause: str, lived) -> list:
    code = not lived.from_pbx and not re.match(r"2\d\d$|0", getattr(lived, "number", ""))     # what answers a code is no phone
    times = {"dialing": [lived.times["new"]], "ringing": [lived.times.get("ringing")], "held": list(getattr(lived, "held_at", [])),
             "answered": [None if code else lived.times.get("answered"), *getattr(lived, "resumed_at", [])],
             "ended": [None if cause == "transferred" else lived.times.get("ended")]}
    states = []
    for word in words.split() or ["ended"]:
        at = times[word].pop(0) if times[word] else None
        states.append([word, None if at is None else kinds.tape.ms(at)] + ([cause] if word == "ended" else []))
    return states
