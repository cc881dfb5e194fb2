"""Templates of mails: the subject, and a text and an HTML body of the same content."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from monigo.infra.mail.types import Mail


class Templates:
    """A folder's templates: `<name>.txt`, whose first line is the subject, and `<name>.html`."""

    def __init__(self, folder: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def mail(self, name: str, recipient: str, values: dict[str, Any]) -> Mail:
        """A mail made of a template."""
        text = self._environment.get_template(f"{name}.txt").render(values)
        subject, _, body = text.partition("\n")
        html = self._environment.get_template(f"{name}.html").render(values)
        # Names in it are other people's words: whatever they hold, a header is one line.
        return Mail(recipient, " ".join(subject.split()), body.strip() + "\n", html)
