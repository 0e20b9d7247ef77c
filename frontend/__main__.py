"""The site alone, in front of a service elsewhere: GSI_API_URL=https://... python -m frontend.

GSI_UPLOADS_TO is the origin of the service's bucket, where archives go to one.
"""

import os
import sys

import uvicorn

from frontend.app import mount
from frontend.proxy import create_proxy


def main() -> int:
    """Serve on GSI_SITE_HOST:GSI_SITE_PORT (127.0.0.1:7860); one process, because Gradio keeps its sessions in it."""
    api_url = os.environ.get("GSI_API_URL", "")
    if not api_url.startswith(("http://", "https://")):
        sys.stderr.write("GSI_API_URL must name the service, for example GSI_API_URL=http://127.0.0.1:8000\n")
        return 64
    host = os.environ.get("GSI_SITE_HOST", "127.0.0.1")
    port = int(os.environ.get("GSI_SITE_PORT", "7860"))
    app = mount(create_proxy(api_url=api_url), api_url=api_url, uploads_to=os.environ.get("GSI_UPLOADS_TO", ""))
    uvicorn.run(app, host=host, port=port, workers=1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
