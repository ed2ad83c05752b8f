"use strict";
// Questions of two runs beside each other. All text comes into the page as text nodes.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const page = 50;
  const at = (id) => document.getElementById(id);
  const [one, other, k, outcome, word, search] = ["one", "other", "k", "outcome", "word", "search"].map(at);
  const list = at("questions"), more = at("more"), count = at("count");
  let chosen = [], shown = 0;

  function make(name, text, style) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (style) element.className = style;
    return element;
  }

  function fill(select, values, names) {
    values.forEach((value, place) => {
      const option = make("option", names ? names[place] : value);
      option.value = value;
      select.append(option);
    });
  }

  function found(question, run) {
    if (k.value === "EM") return question.exact[run] === true;
    const rank = question.ranks[run] || 0;
    return rank > 0 && rank <= Number(k.value);
  }

  function outcomeOf(question) {
    const first = found(question, one.value), second = found(question, other.value);
    if (first === second) return first ? "both" : "neither";
    return second ? "win" : "loss";
  }

  const words = { win: "win", loss: "loss", both: "found", neither: "missed" };

  function update() {
    const text = search.value.trim().toLowerCase();
    chosen = data.questions.filter((question) =>
      (outcome.value === "all" || outcomeOf(question) === outcome.value) &&
      (word.value === "all" || question.word === word.value) &&
      (!text || question.question.toLowerCase().includes(text) ||
        question.answers.some((answer) => answer.toLowerCase().includes(text))));
    shown = 0;
    list.replaceChildren();
    const wins = data.questions.filter((question) => outcomeOf(question) === "win").length;
    const losses = data.questions.filter((question) => outcomeOf(question) === "loss").length;
    const compared = one.value === other.value ? "" : ` (of all: ${wins} wins and ${losses} losses of ${other.value})`;
    count.textContent = `${chosen.length} of ${data.questions.length} questions${compared}`;
    addMore();
  }

  function addMore() {
    chosen.slice(shown, shown + page).forEach((question) => list.append(item(question)));
    shown = Math.min(shown + page, chosen.length);
    more.hidden = shown >= chosen.length;
  }

  function item(question) {
    const entry = make("li"), details = make("details"), summary = make("summary");
    const kind = outcomeOf(question);
    const style = kind === "win" || kind === "both" ? "better" : "worse";
    summary.append(make("span", words[kind], `tag ${style}`), make("span", question.question || question.id));
    const ranks = data.runs.map((run) => {
      const rank = question.ranks[run];
      const read = question.read[run] === undefined ? "" : `, read “${question.read[run]}”`;
      return `${run}: ${rank === undefined ? "not in the run" : rank ? `rank ${rank}` : "not found"}${read}`;
    });
    summary.append(make("span", ranks.join(" · "), "ranks"));
    details.append(summary);
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) details.append(...inside(question));
    });
    entry.append(details);
    return entry;
  }

  function inside(question) {
    const answers = make("p", `answers: ${question.answers.join(" | ") || "none"}`, "faint");
    if (!question.passages) {
      return [answers, make("p", "The passages of this question are not in this page.", "faint")];
    }
    const sides = make("div", undefined, "sides");
    const runs = one.value === other.value ? [one.value] : [one.value, other.value];
    runs.forEach((run) => {
      const side = make("section");
      side.append(make("h4", run));
      (question.passages[run] || []).forEach((passage) => side.append(passageOf(passage)));
      if (!(question.passages[run] || []).length) side.append(make("p", "no passages", "faint"));
      sides.append(side);
    });
    return [answers, sides];
  }

  function passageOf(passage) {
    const block = make("div", undefined, "passage");
    const head = make("p", `${passage.rank}. ${passage.title || passage.id}`);
    head.append(make("span", ` ${passage.title ? passage.id : ""} ${passage.score}`, "faint"));
    const text = make("p");
    // every other part is an answer
    passage.parts.forEach((part, place) => text.append(place % 2 ? make("mark", part) : part));
    block.append(head, text);
    return block;
  }

  fill(one, data.runs);
  fill(other, data.runs);
  other.value = data.runs[data.runs.length - 1];
  const read = data.questions.some((question) => Object.keys(question.exact).length);
  fill(k, [...data.ks, ...(read ? ["EM"] : [])], [...data.ks.map((value) => `top-${value}`), ...(read ? ["exact match"] : [])]);
  if (data.ks.includes(20)) k.value = "20";
  fill(word, ["all", ...new Set(data.questions.map((question) => question.word))]);
  [one, other, k, outcome, word].forEach((control) => control.addEventListener("change", update));
  search.addEventListener("input", update);
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", addMore);
  if (data.runs.length > 1) outcome.value = "win";
  update();
})();
