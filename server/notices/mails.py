"""Sends a notice by e-mail, over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit
from uuid import UUID

from server.notices.webhooks import NotSentError

_PATIENCE_SECONDS = 15
_PERMANENT = 500


def message(*, sender: str, to: str, subject: str, text: str, notice: UUID) -> EmailMessage:
    """A plain mail; the same notice has the same Message-ID however often it is sent."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"] = formatdate(usegmt=True)
    made["Message-ID"] = f"<{notice}@{sender.rpartition('@')[2].rstrip('>')}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text)
    return made


def send(smtp_url: str, mail: EmailMessage) -> None:
    """Hand a mail to the server at ``smtp_url``: smtp:// (STARTTLS where it offers it), or smtps://.

    Raises NotSentError, with the server's status and none of its words.
    """
    parts = urlsplit(smtp_url)
    try:
        with _connected(parts.scheme, parts.hostname or "", parts.port) as server:
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        status = next(iter(error.recipients.values()))[0]
        raise NotSentError(f"the mail server refused the address ({status})", final=status >= _PERMANENT) from error
    except smtplib.SMTPResponseException as error:
        raise NotSentError(f"the mail server answered {error.smtp_code}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSentError("the mail server cannot be reached") from error


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=_PATIENCE_SECONDS, context=context)
    server = smtplib.SMTP(host, port or 25, timeout=_PATIENCE_SECONDS)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=context)
        server.ehlo()
    return server
