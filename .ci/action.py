"""What the GitHub Action does: `action.yml` installs the package and runs this.

Annotations on changed lines, a SARIF and a JUnit file, and one comment on the pull request
that is edited in place. Settings are INPUT_… variables; the rest of what it knows is what GitHub
tells every step. Exit code 1 where a check, a test, a forecast or a plan says no, 2 where one
could not be done.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx

MOST = 60_000
"""Characters of a comment; GitHub takes 65,536."""

SECONDS = 30
PAGES = 30


def given(name: str) -> str:
    return os.environ.get(f"INPUT_{name}", "").strip()


def wanted(name: str) -> bool:
    return given(name).lower() == "true"


class Run:
    """The verbs, one after another; what they say becomes one text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = 0
        self.parts: list[tuple[str, int, str]] = []

    def journey(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["journey", "-C", given("PROJECT") or ".", "--color", "never", *arguments]
        return subprocess.run(
            command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False
        )

    def part(self, title: str, code: int, text: str) -> None:
        """One section: with its verb's exit code and what it has to say, as Markdown."""
        self.code = max(self.code, code)
        if code and not text.strip():
            text = "It could not be done; the log of the run says why."
        self.parts.append((title, code, text.strip()))

    def markdown(self, most: int | None = None) -> str:
        """All sections; with `most` characters the longest say only that they are too long."""
        texts = [text for _, _, text in self.parts]
        while True:
            made = "\n\n".join(
                [f"## Journeys in `{given('PROJECT') or '.'}`"]
                + [
                    f"### {'✅' if code == 0 else '❌'} {title}\n\n{text}".strip()
                    for (title, code, _), text in zip(self.parts, texts, strict=True)
                ]
            )
            if most is None or len(made) <= most or not any(len(t) > 200 for t in texts):
                return made + "\n"
            longest = max(range(len(texts)), key=lambda n: len(texts[n]))
            texts[longest] = "Too long for a comment; it is in the summary of the run."


def check(run: Run, outputs: dict[str, str]) -> bool:
    sarif = run.folder / "journeys.sarif"
    sarif.write_text(run.journey("check", "--output", "sarif").stdout, encoding="utf-8")
    outputs["sarif"] = str(sarif)
    annotated = run.journey("check", "--output", "github")
    say(annotated.stdout)
    told = run.journey("check").stdout.strip()
    run.part("Check", annotated.returncode, told and fenced(told))
    return annotated.returncode == 0


def tests(run: Run, outputs: dict[str, str]) -> None:
    junit = run.folder / "journeys.junit.xml"
    arguments = ["--fail-under", given("COVERAGE")] if given("COVERAGE") else []
    done = run.journey("test", *arguments, "--output", "junit")
    junit.write_text(done.stdout, encoding="utf-8")
    outputs["junit"] = str(junit)
    told = run.journey("test", *arguments).stdout.strip() if done.returncode else ""
    say(told)
    run.part("Tests", done.returncode, told and fenced(told))


def simulate(run: Run) -> None:
    days, env = given("SIMULATE_DAYS"), given("ENV")
    done = run.journey("simulate", "--env", env, "--days", days, "--output", "markdown")
    run.part(f"{days} days to come, on the people of `{env}`", done.returncode, done.stdout)


def plan(run: Run) -> None:
    env = given("ENV")
    done = run.journey("plan", env, "--output", "markdown")
    run.part(f"What an apply to `{env}` would do", done.returncode, done.stdout)


def say(text: str) -> None:
    """To the log of the run, where GitHub looks for annotations too."""
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def fenced(text: str) -> str:
    return f"<details open><summary>Output</summary>\n\n```text\n{text}\n```\n\n</details>"


def comment(text: str) -> None:
    """Write the comment, or write it anew where an earlier run left it."""
    number = pull_request()
    if number is None:
        say("No pull request: no comment.")
        return
    mark = f"<!-- journeylang {given('PROJECT') or '.'} -->"
    repository = os.environ["GITHUB_REPOSITORY"]
    base = f"{os.environ.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{repository}"
    headers = {
        "Authorization": f"Bearer {given('TOKEN')}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    body = {"body": f"{mark}\n{text}"}
    try:
        with httpx.Client(headers=headers, timeout=SECONDS) as client:
            earlier = ours(client, f"{base}/issues/{number}/comments", mark)
            if earlier is None:
                answer = client.post(f"{base}/issues/{number}/comments", json=body)
            else:
                answer = client.patch(f"{base}/issues/comments/{earlier}", json=body)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        # From a fork the token may only read. What was found is in the summary all the same.
        why = type(error).__name__
        if isinstance(error, httpx.HTTPStatusError):
            why = str(error.response.status_code)
        say(f"::warning::The comment could not be written ({why}); see the run's summary.")


def ours(client: httpx.Client, address: str, mark: str) -> int | None:
    """The number of the comment with the mark."""
    for page in range(1, PAGES + 1):
        found = client.get(address, params={"per_page": 100, "page": page})
        found.raise_for_status()
        comments = found.json()
        for one in comments:
            if (one.get("body") or "").startswith(mark):
                return int(one["id"])
        if len(comments) < 100:
            break
    return None


def pull_request() -> int | None:
    path = os.environ.get("GITHUB_EVENT_PATH")
    if not path:
        return None
    event = json.loads(Path(path).read_text(encoding="utf-8"))
    number = event.get("pull_request", {}).get("number")
    return None if number is None else int(number)


def append(variable: str, text: str) -> None:
    """To one of the files that GitHub reads after a step."""
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def main() -> int:
    folder = Path(os.environ.get("RUNNER_TEMP", ".")).resolve() / "journeylang-output"
    folder.mkdir(parents=True, exist_ok=True)
    run, outputs = Run(folder), dict[str, str]()
    if check(run, outputs):
        if wanted("TEST"):
            tests(run, outputs)
        if given("SIMULATE_DAYS"):
            simulate(run)
        if wanted("PLAN"):
            plan(run)
    markdown = folder / "journeys.md"
    markdown.write_text(run.markdown(), encoding="utf-8")
    outputs["markdown"] = str(markdown)
    append("GITHUB_STEP_SUMMARY", run.markdown())
    append("GITHUB_OUTPUT", "".join(f"{name}={path}\n" for name, path in outputs.items()))
    if wanted("COMMENT"):
        comment(run.markdown(MOST))
    return run.code


if __name__ == "__main__":
    sys.exit(main())
