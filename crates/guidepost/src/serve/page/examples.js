// Examples of what can be asked, made from what these guides are about, so that they fit any guides. Values in, values out.

const MOST_TITLES = 4;

/**
 * Groups of examples, each with its text and what it changes in the state of the page: made from the roles that guides
 * describe; where they describe fewer than three, from their titles.
 */
export function exampleGroups(documents, roles) {
  const known = roles.filter((role) => role.described.length > 0);
  known.sort((a, b) => b.resources - a.resources);
  const names = known.map(({ role }) => role);
  return names.length >= 3 ? byRoles(names, documents, roles) : byTitles(documents);
}

function byRoles([first, second, third, fourth], documents, roles) {
  const other = fourth ?? second;
  const skill = documents.find((document) => document.kind && document.kind !== "role");
  const small = smallWords([
    ...documents.flatMap(({ title, tags }) => [title, ...tags]),
    ...roles.map(({ role }) => role),
  ]);
  const inside = (name) => running(name, small);
  const one = (name) => `${article(name)} ${inside(name)}`;
  const recommended = (serves, kind) => ({ view: "resources", serves, want: [kind] });
  return [
    {
      title: "Ask",
      examples: [
        asked(`How do I become ${one(first)}?`),
        asked(`What does ${one(second)} do?`),
        // A few words do as well.
        asked(skill ? skill.title : third),
      ],
    },
    {
      title: "Find what to read",
      examples: [
        { text: `Books for ${one(third)}`, changes: recommended(third, "book") },
        { text: `Certifications for ${one(first)}`, changes: recommended(first, "certification") },
        { text: "What most guides recommend", changes: { view: "resources" } },
      ],
    },
    {
      title: "Look around",
      examples: [
        { text: `${first} or ${inside(other)}?`, changes: { view: "compare", first, second: other } },
        { text: "All guides on a map", changes: { view: "map" } },
        { text: `Where ${inside(second)} lies on it`, changes: { view: "map", q: second } },
      ],
    },
  ];
}

function byTitles(documents) {
  const titles = documents.slice(0, MOST_TITLES).map((document) => document.title);
  const look = [
    { text: "What the guides recommend", changes: { view: "resources" } },
    { text: "All guides on a map", changes: { view: "map" } },
  ];
  return [
    ...(titles.length > 0 ? [{ title: "Ask", examples: titles.map(asked) }] : []),
    { title: "Look around", examples: look },
  ];
}

function asked(text) {
  return { text, changes: { q: text, asked: true, view: "search" } };
}

function article(name) {
  return /^(?:[aeio]|hr |ml|sre|u(?!ni|se|x))/i.test(name) ? "an" : "a";
}

/** Words that these guides write with a small letter. */
function smallWords(texts) {
  return new Set(texts.flatMap((text) => text.match(/(?<![\p{L}\p{N}])\p{Ll}[\p{L}\p{N}-]*/gu) ?? []));
}

/** A name inside a sentence: with a small letter first, where the guides write that word so, as they do not with `Python`. */
function running(name, small) {
  const [first, ...rest] = name.split(" ");
  const titled = rest.some((word) => /^\p{Lu}/u.test(word));
  return !titled && small.has(first.toLowerCase()) && /^\p{Lu}\p{Ll}+$/u.test(first)
    ? name[0].toLowerCase() + name.slice(1)
    : name;
}
