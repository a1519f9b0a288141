"""Desurveys drill holes by minimum curvature: parameters on standard input, messages on standard output.

The arc from one station to the next is tangent to both directions. With the angle b between them,

    displacement = length / 2 * (direction_1 + direction_2) * ratio,   ratio = 2 / b * tan(b / 2)

and the direction at a part t of the arc is (sin((1 - t) b) d_1 + sin(t b) d_2) / sin(b). (Sawaryn and
Thorogood, 2005, A compendium of directional calculations based on the minimum curvature method.)
"""

import json
import math
import sys
import time

# Below this angle, in radians, sine and tangent are their arguments to the last bit.
STRAIGHT = 1e-7
# A hole that turns back on itself between two stations has no arc.
OPPOSITE = math.pi - 1e-6


class Refused(Exception):
    """Other parameters would help: becomes the problem of the job."""


def say(**message):
    """One message a line, at once: a pipe would keep it back otherwise."""
    print(json.dumps(message, allow_nan=False), flush=True)


def direction(dip, azimuth):
    """Unit vector (east, north, up) of a hole's direction, both angles in degrees."""
    dip, azimuth = math.radians(dip), math.radians(azimuth)
    return (
        math.cos(dip) * math.sin(azimuth),
        math.cos(dip) * math.cos(azimuth),
        math.sin(dip),
    )


def angle(one, other):
    """Angle between two unit vectors in radians, exact for small ones as well."""
    difference = math.dist(one, other)
    return 2 * math.asin(min(1.0, difference / 2))


def moved(point, one, other, length):
    """Where an arc of a length leads that begins in one direction and ends in the other."""
    bend = angle(one, other)
    ratio = 1.0 if bend < STRAIGHT else 2 / bend * math.tan(bend / 2)
    return tuple(p + length / 2 * (a + b) * ratio for p, a, b in zip(point, one, other))


def turned(one, other, part):
    """The direction after a part (0 to 1) of the arc."""
    bend = angle(one, other)
    if bend < STRAIGHT:
        return other
    first, second = math.sin((1 - part) * bend), math.sin(part * bend)
    return tuple((first * a + second * b) / math.sin(bend) for a, b in zip(one, other))


def sections(hole):
    """Depth from, depth to, and directions at both, of all arcs of a hole."""
    stations = hole["stations"]
    for i, (one, other) in enumerate(zip(stations, stations[1:])):
        if one["depth"] >= other["depth"]:
            raise Refused(
                f"The depth of station {i + 1} (counted from 0) of the hole {hole['id']} "
                "is not below that of the one before: sort the stations, and keep one of equal depths."
            )
    first = direction(stations[0]["dip"], stations[0]["azimuth"])
    arcs = [(0.0, stations[0]["depth"], first, first)] if stations[0]["depth"] > 0 else []
    for i, (one, other) in enumerate(zip(stations, stations[1:])):
        begins, ends = direction(one["dip"], one["azimuth"]), direction(other["dip"], other["azimuth"])
        if angle(begins, ends) > OPPOSITE:
            raise Refused(
                f"Between stations {i} and {i + 1} (counted from 0) the hole {hole['id']} turns back "
                "on itself: correct their dips and azimuths."
            )
        arcs.append((one["depth"], other["depth"], begins, ends))
    return arcs


def depths_of(hole, step):
    """The depths that are asked for: those of the stations, or every step and the end."""
    deepest = hole["stations"][-1]["depth"]
    if step is None:
        known = [station["depth"] for station in hole["stations"]]
        return known if known[0] == 0 else [0.0, *known]
    count = math.ceil(deepest / step - 1e-9)
    return [min(deepest, i * step) for i in range(count + 1)]


def desurvey(hole, step):
    arcs = sections(hole)
    point, wanted = tuple(hole["collar"]), depths_of(hole, step)
    coordinates, steepest = [], 0.0
    upcoming = iter(wanted)
    depth = next(upcoming)
    if depth == 0:
        coordinates.append([round(c, 6) for c in point])
        depth = next(upcoming, None)
    for begin, end, one, other in arcs:
        length = end - begin
        steepest = max(steepest, math.degrees(angle(one, other)) * 30 / length)
        while depth is not None and depth <= end:
            part = (depth - begin) / length
            there = moved(point, one, turned(one, other, part), depth - begin)
            coordinates.append([round(c, 6) for c in there])
            depth = next(upcoming, None)
        point = moved(point, one, other, length)
    return {
        "id": hole["id"],
        "depths": wanted,
        "coordinates": coordinates,
        "largest_dogleg": round(steepest, 6),
    }


def main():
    parameters = json.load(sys.stdin)
    holes, step = parameters["holes"], parameters.get("step")
    total = sum(len(hole["stations"]) for hole in holes)
    print(f"{len(holes)} holes with {total} stations", file=sys.stderr)
    done, desurveyed, told = 0, [], time.monotonic()
    for hole in holes:
        desurveyed.append(desurvey(hole, step))
        done += len(hole["stations"])
        if time.monotonic() - told > 0.2:
            told = time.monotonic()
            say(progress=100 * done / total, message=f"Desurveyed {len(desurveyed)} of {len(holes)} holes")
    points = sum(len(hole["depths"]) for hole in desurveyed)
    say(results={"message": f"Desurveyed {len(holes)} holes, {points} points", "holes": desurveyed})


try:
    main()
except Refused as refused:
    say(
        problem={
            "status": 422,
            "slug": "impossible-survey",
            "title": "The survey of a hole is impossible.",
            "detail": str(refused),
        }
    )
