"""What the compiler would find at once: names that are nothing, what nobody uses, modules that lack something."""

import posixpath
from collections.abc import Iterator, Mapping, Set

from tests.bicep.reading import BicepError, Declared, Node, Template, interpolated, is_text, read, text_of, trees, within

# Templates that people deploy; the others are modules.
ENTRIES = (
    "main.bicep",
    "registry/main.bicep",
    "tenant/main.bicep",
    "tenant/event-subscription.bicep",
    "tenant/queue-sender.bicep",
)


def unsound(sources: Mapping[str, str]) -> list[str]:
    """Each fault of a folder of templates, with its file."""
    templates = {path: text for path, text in sources.items() if path.endswith(".bicep")}
    unreadable = [f"{path}: {fault}" for path, text in templates.items() for fault in _unreadable(text)]
    found = unreadable or [f"{path}: {fault}" for path in templates for fault in _faults(path, templates)]
    return found or _unused(templates)


def _unreadable(text: str) -> Iterator[str]:
    try:
        read(text)
    except BicepError as wrong:
        yield str(wrong)


def _faults(path: str, templates: Mapping[str, str]) -> Iterator[str]:
    template = read(templates[path])
    yield from (
        f"parameter {name} has no description" for name in template.params if "description" not in template.params[name].decorators
    )
    used = {name for node in _bodies(template) for name in names(node)}
    yield from (f"{name} is nothing" for name in sorted(used - _declared(template)))
    not_made = [name for name, resource in template.resources.items() if resource.existing]
    for name in (*template.params, *template.variables, *not_made):
        if name not in used:
            yield f"{name} is not used"
    for name, module in template.modules.items():
        target = module_path(path, module)
        if target not in templates:
            yield f"module {name}: there is no {module.place}"
        else:
            yield from (f"module {name}: {fault}" for fault in _misfits(module, read(templates[target])))


def _misfits(module: Declared, template: Template) -> Iterator[str]:
    given = {str(pair.children[0].children[0]) for pair in _given(module.body)}  # type: ignore[union-attr] # a key is a tree
    needed = {name for name, param in template.params.items() if param.default is None}
    yield from (f"parameter {name} is not given" for name in sorted(needed - given))
    yield from (f"there is no parameter {name}" for name in sorted(given - template.params.keys()))


def _unused(templates: Mapping[str, str]) -> list[str]:
    """Modules that no template deploys, and outputs of modules that none reads."""
    uses: dict[str, set[str]] = {}
    for path, text in templates.items():
        template = read(text)
        for name, module in template.modules.items():
            uses.setdefault(module_path(path, module), set()).update(_outputs_read(template, name))
    alone = [f"{path}: nobody deploys it" for path in sorted(templates.keys() - uses.keys() - set(ENTRIES))]
    return alone + [
        f"{path}: output {name} is not used"
        for path in sorted(uses)
        for name in read(templates[path]).outputs
        if name not in uses[path]
    ]


def names(node: Node, local: Set[str] = frozenset()) -> Iterator[str]:
    """The names that a value uses, but for the variables of its own loops."""
    match str(node.data):
        case "string":
            if not is_text(node):
                yield from {str(node.children[0])} - local
                return
            for piece in interpolated(text_of(node.children[0])):
                yield from () if isinstance(piece, str) else names(piece, local)
        case "property_accessor":
            left, right = trees(node)
            yield from names(left, local)
            yield from _names_within_path(right, local)
        case "loop":
            over, *rest = trees(node)
            yield from names(trees(over)[0], local)
            for each in rest:
                yield from names(each, local | {str(over.children[0])})
        case "pair":
            key, value = trees(node)
            if str(key.children[0]).startswith("'"):
                yield from names(key, local)
            yield from names(value, local)
        case "key":
            for piece in interpolated(text_of(node.children[0])):
                yield from () if isinstance(piece, str) else names(piece, local)
        case _:
            for each in trees(node):
                yield from names(each, local)


def module_path(path: str, module: Declared) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), module.place))


def _names_within_path(node: Node, local: Set[str]) -> Iterator[str]:
    """In a.b[c].d only c is a name."""
    if node.data != "operator":
        return
    [inner] = trees(node)
    left, right = trees(inner)
    yield from _names_within_path(left, local)
    yield from _names_within_path(right, local) if inner.data == "property_accessor" else names(right, local)


def _declared(template: Template) -> set[str]:
    return {*template.params, *template.variables, *template.resources, *template.modules}


def _bodies(template: Template) -> Iterator[Node]:
    yield from (param.default for param in template.params.values() if param.default is not None)
    yield from template.variables.values()
    yield from (declared.body for declared in (*template.resources.values(), *template.modules.values()))
    yield from template.outputs.values()


def _given(body: Node) -> list[Node]:
    """The pairs of a module's `params`."""
    whole = body if body.data == "object" else trees(body)[-1]
    found = [trees(pair)[1] for pair in trees(whole) if str(trees(pair)[0].children[0]) == "params"]
    return trees(found[0]) if found else []


def _outputs_read(template: Template, module: str) -> set[str]:
    """`x` of each `module.outputs.x`."""
    found = set()
    for body in _bodies(template):
        for node in within(body):
            if node.data != "property_accessor":
                continue
            left, right = trees(node)
            path = [str(each.children[0]) for each in (left, *right.find_data("string"))]
            if path[:2] == [module, "outputs"] and len(path) > 2:
                found.add(path[2])
    return found
