"""The SDK of the Model Context Protocol, over standard streams and over HTTP.

    agents.py http://127.0.0.1:PORT GUIDEPOST [ARGUMENTS OF `guidepost mcp`...]
"""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError

try:
    from mcp.client.streamable_http import streamable_http_client
except ImportError:
    from mcp.client.streamable_http import streamablehttp_client as streamable_http_client

QUESTION = "How do I become a data analyst?"


def field(value, *names):
    """A field by whichever of its names this version of the SDK has."""
    for name in names:
        if hasattr(value, name):
            return getattr(value, name)
    raise AssertionError(f"{value} has none of {names}")


async def check(session: ClientSession):
    greeting = await session.initialize()
    assert field(greeting, "serverInfo", "server_info").name == "guidepost"
    tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert sorted(tools) == ["ask", "get", "resources", "search", "status"], sorted(tools)
    for tool in tools.values():
        assert field(tool.annotations, "readOnlyHint", "read_only_hint"), tool
        assert field(tool, "outputSchema", "output_schema")["type"] == "object", tool

    async def call(name, **arguments):
        # The SDK holds what comes against the schema that the tool has announced.
        result = await session.call_tool(name, arguments)
        assert not field(result, "isError", "is_error"), result
        content = field(result, "structuredContent", "structured_content")
        assert json.loads(result.content[0].text) == content
        return content

    found = await call("search", query="statistics for data analysts", limit=3)
    assert 1 <= len(found["results"]) <= 3, found
    answered = await call("ask", query=QUESTION)
    statement = answered["answer"]["statements"][0]
    lines = f"{statement['path']}:{statement['first_line']}-{statement['last_line']}"
    quoted = await call("get", citation=lines)
    assert statement["text"] in quoted["text"], (statement, quoted)
    listed = await call("resources", query="books on statistics", limit=5)
    assert listed["resources"] and all(resource["kind"] == "book" for resource in listed["resources"]), listed
    described = await call("status")
    assert described["current"]["passages"] > 0
    for name, arguments in [("search", {"query": "x", "colour": "red"}), ("search", {}), ("get", {"citation": "/etc/hostname"})]:
        try:
            result = await session.call_tool(name, arguments)
        except MCPError as refused:
            assert str(refused), name
        else:
            assert field(result, "isError", "is_error"), (name, arguments, result)


async def main(address: str, command: list[str]):
    parameters = StdioServerParameters(command=command[0], args=["mcp", *command[1:]])
    async with stdio_client(parameters) as streams, ClientSession(*streams[:2]) as session:
        await check(session)
    async with streamable_http_client(f"{address}/mcp") as streams, ClientSession(*streams[:2]) as session:
        await check(session)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
    print("agents: the SDK is answered over standard streams and over HTTP")
