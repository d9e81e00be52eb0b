"""Proof of a line's topology: what comes after what, and that every chute can be reached."""

from collections.abc import Iterator
from itertools import pairwise

import networkx as nx

from edge.model.topology import ChuteKind, EyeRole
from line_config.description import LineDescription
from line_config.model import END, BeltScale, EyeSettings, LineFile, StaticScale
from line_config.problems import Problem
from line_config.validate import problem_at
from line_config.yaml_tree import Tree


def topology_findings(line: LineDescription) -> Iterator[Problem]:
    """Everything in the line's topology that must not be, each at its place."""
    file, tree = line.file, line.tree
    yield from _induction(file, tree)
    yield from _eye_order(file, tree)
    yield from _guard_zones(file, tree)
    yield from _scale_eyes(file, tree)
    yield from _readers(file, tree)
    yield from _diverters(file, tree)
    yield from _exits(file, tree)
    yield from _chutes(file, tree)
    yield from _default_chute(file, tree)
    yield from _recirculation(file, tree)
    yield from _reachable(file, tree)


def _with_role(file: LineFile, role: EyeRole) -> list[EyeSettings]:
    return [eye for eye in file.eyes if eye.role is role]


def _induction(file: LineFile, tree: Tree) -> Iterator[Problem]:
    """Exactly one induction eye, at 0, after the last place where a hand puts something on."""
    found = _with_role(file, EyeRole.INDUCTION)
    if not found:
        yield problem_at(tree, ("eyes",), "no eye has the role induction", "give it to the eye at 0")
    for eye in found[1:]:
        what = f"a second induction eye, {found[0].id} is the first; a line has exactly one"
        yield problem_at(tree, ("eyes", eye.id, "role"), what, "make it a tracking eye")
    for eye in found[:1]:
        if eye.position_mm != 0:
            what = "the induction eye is where positions begin: have this, need 0"
            yield problem_at(tree, ("eyes", eye.id, "position_mm"), what)
        if eye.id != file.eyes[0].id:
            what = f"the induction eye comes after {file.eyes[0].id}; it must be the first eye"
            yield problem_at(tree, ("eyes", eye.id, "role"), what)
    for infeed in file.infeeds:
        if infeed.position_mm >= 0:
            what = "an infeed downstream of the induction eye: what it puts on is never inducted"
            hint = "move it upstream (a negative position), or the induction eye after it"
            yield problem_at(tree, ("infeeds", infeed.id, "position_mm"), what, hint)


def _eye_order(file: LineFile, tree: Tree) -> Iterator[Problem]:
    for before, eye in pairwise(file.eyes):
        if eye.position_mm <= before.position_mm:
            what = f"is not after eye {before.id} at {before.position_mm}; eyes are listed in belt order"
            yield problem_at(tree, ("eyes", eye.id, "position_mm"), what)
    ends = _with_role(file, EyeRole.END)
    if not ends:
        yield problem_at(tree, ("eyes",), "no eye has the role end", "give it to the last eye of the belt")
    for eye in ends:
        if eye.id != file.eyes[-1].id:
            what = f"the end of the line comes before eye {file.eyes[-1].id}; it must be the last eye"
            yield problem_at(tree, ("eyes", eye.id, "role"), what)


def _guard_zones(file: LineFile, tree: Tree) -> Iterator[Problem]:
    """In belt order, from the induction eye to the end eye, without a gap."""
    reached = 0
    for zone in file.guard_zones:
        if zone.from_mm != reached:
            what = f"a guard zone begins where the one before it ends: have {zone.from_mm}, need {reached}"
            yield problem_at(tree, ("guard_zones", zone.id, "from_mm"), what)
        if zone.to_mm <= zone.from_mm:
            what = f"is not after from_mm, {zone.from_mm}"
            yield problem_at(tree, ("guard_zones", zone.id, "to_mm"), what)
        reached = zone.to_mm
    end = max((eye.position_mm for eye in _with_role(file, EyeRole.END)), default=reached)
    if file.guard_zones and reached != end:
        what = f"the guard zones end at {reached}, the belt at {end}"
        yield problem_at(tree, ("guard_zones", file.guard_zones[-1].id, "to_mm"), what)


def _scale_eyes(file: LineFile, tree: Tree) -> Iterator[Problem]:
    roles = {eye.id: eye for eye in file.eyes}
    used: set[str] = set()
    if isinstance(file.scale, BeltScale | StaticScale):
        pair = (
            ("infeed_eye", file.scale.infeed_eye, EyeRole.SCALE_INFEED),
            ("outfeed_eye", file.scale.outfeed_eye, EyeRole.SCALE_OUTFEED),
        )
        for key, name, role in pair:
            used.add(name)
            if roles[name].role is not role:
                what = f"that eye has the role {roles[name].role.value}, need {role.value}"
                yield problem_at(tree, ("scale", key), what)
        infeed, outfeed = roles[file.scale.infeed_eye], roles[file.scale.outfeed_eye]
        if infeed.position_mm >= outfeed.position_mm:
            what = f"that eye at {outfeed.position_mm} is not after the infeed eye at {infeed.position_mm}"
            yield problem_at(tree, ("scale", "outfeed_eye"), what)
        if outfeed.position_mm >= file.line.decision_mm:
            what = f"the scale ends at {outfeed.position_mm} mm, after the decision"
            yield problem_at(tree, ("line", "decision_mm"), what, "decide after the scale")
        for eye in file.eyes:
            if infeed.position_mm < eye.position_mm < outfeed.position_mm:
                what = f"an eye on the scale, between {infeed.id} and {outfeed.id}"
                yield problem_at(tree, ("eyes", eye.id, "position_mm"), what)
    for eye in file.eyes:
        if eye.role in (EyeRole.SCALE_INFEED, EyeRole.SCALE_OUTFEED) and eye.id not in used:
            what = "no scale uses this eye"
            yield problem_at(tree, ("eyes", eye.id, "role"), what, "make it a tracking eye, or remove it")


def _readers(file: LineFile, tree: Tree) -> Iterator[Problem]:
    for reader in file.readers:
        half = (reader.field_mm + 1) // 2
        first, last = reader.position_mm - half, reader.position_mm + half
        if first <= 0:
            what = f"its field begins at {first} mm: it sees parcels that are not inducted yet"
            yield problem_at(tree, ("readers", reader.id, "position_mm"), what, "move it downstream")
        if last >= file.line.decision_mm and reader.needed:
            what = f"its field ends at {last} mm, not before the decision at {file.line.decision_mm}"
            hint = "read before deciding, or say needed: false"
            yield problem_at(tree, ("readers", reader.id, "position_mm"), what, hint)
        if reader.latency is not None and reader.latency.min_ms > reader.latency.max_ms:
            what = f"is larger than max_ms, {reader.latency.max_ms}"
            yield problem_at(tree, ("readers", reader.id, "latency", "min_ms"), what)
    needed = {reader.id for reader in file.readers if reader.needed}
    for point in file.reading_points:
        if point.at_least > len(point.readers):
            what = f"more readers than the point has: at most {len(point.readers)}"
            yield problem_at(tree, ("reading_points", point.id, "at_least"), what)
        for index, name in enumerate(point.readers):
            if name not in needed:
                what = "is not needed: a reading point waits for each of its readers"
                hint = "say needed: true, or leave it out here"
                yield problem_at(tree, ("reading_points", point.id, "readers", index), what, hint)
    if not needed:
        yield problem_at(tree, ("readers",), "no reader is needed: nothing would be waited for")
    for eye in _with_role(file, EyeRole.READER):
        if all(abs(2 * (one.position_mm - eye.position_mm)) > one.field_mm for one in file.readers):
            what = "no reader's field is at this eye"
            yield problem_at(tree, ("eyes", eye.id, "role"), what, "make it a tracking eye")


def _diverters(file: LineFile, tree: Tree) -> Iterator[Problem]:
    """In belt order, after the decision, each with an eye between its zone and the next diverter."""
    eyes = {eye.id: eye for eye in file.eyes}
    users: dict[str, str] = {}
    for order, one in enumerate(file.diverters):
        before = file.diverters[order - 1] if order else None
        if before is not None and one.position_mm < before.position_mm + before.zone_mm:
            reach = before.position_mm + before.zone_mm
            what = f"is not after diverter {before.id}, whose zone ends at {reach}"
            yield problem_at(tree, ("diverters", one.id, "position_mm"), what)
        eye, zone_end = eyes[one.eye], one.position_mm + one.zone_mm
        later = [other.position_mm for other in file.diverters if other.position_mm > one.position_mm]
        limit = min(later, default=file.eyes[-1].position_mm)
        if eye.role is not EyeRole.DIVERTER:
            yield problem_at(
                tree, ("diverters", one.id, "eye"), f"that eye has the role {eye.role.value}, need diverter"
            )
        elif zone_end >= limit and not later:
            what = f"its zone ends at {zone_end}, not before the last eye at {limit}"
            yield problem_at(tree, ("diverters", one.id, "position_mm"), what)
        elif zone_end < limit and not zone_end <= eye.position_mm < limit:
            what = f"that eye is at {eye.position_mm}, need {zone_end}…{limit - 1}: behind the zone, "
            what += "before what follows"
            yield problem_at(tree, ("diverters", one.id, "eye"), what)
        if one.eye in users:
            what = f"diverter {users[one.eye]} has that eye already"
            yield problem_at(tree, ("diverters", one.id, "eye"), what)
        users[one.eye] = one.id
        if not any(exit_.diverter == one.id for exit_ in file.exits):
            yield problem_at(tree, ("diverters", one.id), "no exit belongs to it", "add one, or remove it")
    for eye in _with_role(file, EyeRole.DIVERTER):
        if eye.id not in users:
            what = "no diverter uses this eye"
            yield problem_at(tree, ("eyes", eye.id, "role"), what, "make it a tracking eye")


def _exits(file: LineFile, tree: Tree) -> Iterator[Problem]:
    at = {one.id: one.position_mm for one in file.diverters}
    ordered = sorted(file.exits, key=lambda one: one.no)
    for before, one in pairwise(ordered):
        if at[one.diverter] < at[before.diverter]:
            what = f"is upstream of exit {before.id}, number {before.no}; numbers follow the belt"
            yield problem_at(tree, ("exits", one.id, "no"), what)
    pitch = file.line.parcel.length_min_mm + file.line.gap_min_mm
    for one in file.exits:
        width = one.confirm_to_mm - one.confirm_from_mm
        if width <= 0:
            what = f"is not after confirm_from_mm, {one.confirm_from_mm}"
            yield problem_at(tree, ("exits", one.id, "confirm_to_mm"), what)
        elif width >= pitch:
            what = f"the confirm window is {width} mm wide: two parcels fit in it, need less than {pitch} mm"
            yield problem_at(tree, ("exits", one.id, "confirm_to_mm"), what, "narrow the window")


def _chutes(file: LineFile, tree: Tree) -> Iterator[Problem]:
    kinds: dict[str, tuple[str, ChuteKind]] = {}
    for chute in file.chutes:
        if (chute.exit == END) != (chute.kind is ChuteKind.END):
            steps = ("chutes", chute.id, "kind")
            if chute.exit == END:
                what = "the end of the line takes what nobody decided: its kind must be end"
            else:
                what = f"only the end of the line is of kind end, exit {chute.exit} is not"
            yield problem_at(tree, steps, what)
            continue
        first, kind = kinds.setdefault(chute.exit, (chute.id, chute.kind))
        if kind is not chute.kind:
            what = f"shares exit {chute.exit} with {first}, which is {kind.value}: parcels would mix"
            yield problem_at(tree, ("chutes", chute.id, "kind"), what)
    if END not in {chute.exit for chute in file.chutes}:
        hint = "add a chute with exit: end, kind: end"
        yield problem_at(tree, ("chutes",), "no chute stands at the end of the line", hint)
    for exit_ in file.exits:
        if exit_.id not in {chute.exit for chute in file.chutes}:
            yield problem_at(
                tree, ("exits", exit_.id), "no chute stands at this exit", "add one, or remove it"
            )
    shipping = {chute.id for chute in file.chutes if chute.kind is ChuteKind.SHIPPING}
    if not shipping:
        yield problem_at(tree, ("chutes",), "no chute is for shipping")
    for index, one in enumerate(file.reasons):
        if one.chute in shipping and one.reason != "ok":
            what = "is a shipping chute: nothing unverified goes there"
            yield problem_at(tree, ("reasons", index, "chute"), what, "give a reject or end chute")
        elif one.reason == "ok":
            what = "ok has no chute of its own: the sort plan gives it"
            yield problem_at(tree, ("reasons", index, "reason"), what, "remove it")


def _recirculation(file: LineFile, tree: Tree) -> Iterator[Problem]:
    """One lane leads back, its section says so, and nothing else needs it."""
    loop = file.recirculation
    lanes = [chute for chute in file.chutes if chute.kind is ChuteKind.RECIRCULATION]
    for chute in lanes:
        if loop is None or chute.id != loop.chute:
            what = "leads back to the infeed, and nothing says when"
            hint = "add recirculation: {chute, limit, back_mm}" if loop is None else "one lane leads back"
            yield problem_at(tree, ("chutes", chute.id, "kind"), what, hint)
    if loop is not None and loop.chute not in {chute.id for chute in lanes}:
        what = "is not of kind recirculation"
        yield problem_at(tree, ("recirculation", "chute"), what, "give the chute that kind")
    back = {chute.id for chute in lanes}
    for index, one in enumerate(file.reasons):
        if one.chute in back:
            what = "leads back to the infeed: what takes it by its reason would circulate for ever"
            yield problem_at(tree, ("reasons", index, "chute"), what, "name it under recirculation")
    if file.default_exception_chute in back:
        what = "leads back to the infeed: what nobody decided would circulate for ever"
        yield problem_at(tree, ("default_exception_chute",), what, "give a reject or end chute")


def _default_chute(file: LineFile, tree: Tree) -> Iterator[Problem]:
    default = next(chute for chute in file.chutes if chute.id == file.default_exception_chute)
    if default.kind is ChuteKind.SHIPPING:
        what = "is a shipping chute: no fault may ship a parcel"
        rest = [chute.id for chute in file.chutes if chute.kind is not ChuteKind.SHIPPING]
        hint = f"give a reject or end chute ({', '.join(rest)})" if rest else "add a reject or end chute"
        yield problem_at(tree, ("default_exception_chute",), what, hint)


def belt_graph(file: LineFile) -> "nx.DiGraph[str]":
    """Where a parcel can go: eyes and diverters in belt order up to the end eye, exits, chutes."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    stop = max((eye.position_mm for eye in _with_role(file, EyeRole.END)), default=0)
    points = [(eye.position_mm, f"eye {eye.id}") for eye in file.eyes]
    points += [(one.position_mm, f"diverter {one.id}") for one in file.diverters]
    belt = ["induction", *(name for position, name in sorted(points) if position <= stop), END]
    nx.add_path(graph, belt)
    decided = {one.id for one in file.diverters if one.position_mm > file.line.decision_mm}
    for exit_ in file.exits:
        if exit_.diverter in decided:
            graph.add_edge(f"diverter {exit_.diverter}", f"exit {exit_.id}")
    for chute in file.chutes:
        graph.add_edge(END if chute.exit == END else f"exit {chute.exit}", f"chute {chute.id}")
    return graph


def _reachable(file: LineFile, tree: Tree) -> Iterator[Problem]:
    graph = belt_graph(file)
    reached = nx.descendants(graph, "induction")
    at = {one.id: one.position_mm for one in file.diverters}
    of_exit = {one.id: one.diverter for one in file.exits}
    for chute in file.chutes:
        if f"chute {chute.id}" in reached:
            continue
        position = at[of_exit[chute.exit]]
        place = "before the decision" if position <= file.line.decision_mm else "behind the end of the line"
        what = f"cannot be reached: diverter {of_exit[chute.exit]} at {position} is {place}"
        yield problem_at(tree, ("chutes", chute.id, "exit"), what)
