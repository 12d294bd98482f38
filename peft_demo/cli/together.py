"""`together`: how often several adapters are right when they answer together."""

from typing import Annotated, Any

from typer import Option

from .options import Adapters, Json, Offline, Shares, Zoo, parse_shares, with_reading
from .progress import Progress
from .services import open_studio
from .terminal import print_answer, table

HEAD = ("WHO", "RIGHT")


@with_reading
def together(
    adapters: Adapters,
    data: Annotated[
        str,
        Option(metavar="DATA", help="On which images; those of the first one's run if left out."),
    ] = "",
    shares: Shares = "",
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
    reading: dict[str, Any] | None = None,
) -> None:
    """Average the answers, and the weights, of adapters of the same classes, and say what that
    gains on images that none of them has learned from."""
    with open_studio(zoo, offline) as studio, Progress() as progress:
        ids = [studio.zoo.find(adapter) for adapter in adapters]
        spec = studio.data.read(data, **reading or {}) if data else None
        result = studio.answers.together(ids, spec, parse_shares(shares), progress.report)
    lines = [*table([HEAD, *result.rows]), *result.in_words()]
    print_answer(result.to_json(), lines, as_json)
