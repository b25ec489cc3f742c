"""mdBook preprocessor: links to files of the repository that are no pages of the book lead to the repository."""
import json
import os
import re
import sys

REPOSITORY = "https://github.com/axum-entra/axum-entra/blob/main/"


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "supports":
        sys.exit(0)
    context, book = json.load(sys.stdin)
    docs = context["root"]

    def walk(items):
        for item in items:
            chapter = item.get("Chapter") if isinstance(item, dict) else None
            if chapter and chapter.get("path"):
                folder = os.path.dirname(chapter["path"])
                chapter["content"] = re.sub(
                    r"\]\(([^)\s]+)\)", lambda found: rewritten(found, folder), chapter["content"]
                )
            if chapter:
                walk(chapter["sub_items"])

    def rewritten(found, folder):
        link = found.group(1)
        if "://" in link or link.startswith("#"):
            return found.group(0)
        file, _, anchor = link.partition("#")
        path = os.path.normpath(os.path.join("docs", folder, file))
        if path.startswith("docs/") and os.path.exists(os.path.join(docs, "..", path)):
            return found.group(0)
        return f"]({REPOSITORY}{path}{'#' + anchor if anchor else ''})"

    walk(book.get("items", book.get("sections", [])))
    json.dump(book, sys.stdout)


main()
