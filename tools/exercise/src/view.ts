import { posix } from "node:path";
import { text } from "shared";
import { type Found, readTask } from "./catalogue.ts";
import type { Desk } from "./desk.ts";
import type { Sources } from "./files.ts";
import type { Screen } from "./screen.ts";

/** What is known about the learner's answer. */
export type Answer =
  | { is: "being checked" }
  | { is: "missed"; miss: string; seconds: number }
  | { is: "passed"; seconds: number; yours: Sources; ours: Sources; given: Sources }
  | { is: "unchecked"; why: string };

/** All that the screen shows of an exercise. */
export interface Scene {
  found: Found;
  /** What the learner changes. */
  files: string[];
  answer: Answer;
  /** The hints that have been asked for. */
  hints: string[];
  /** How many there are. */
  allHints: number;
  /** What else there is to tell. */
  remark: string;
  /** Which keys do what, in lines. */
  keys: string[];
}

/** How many are solved, in words. */
export const count = (exercises: Found[], desk: Desk): string =>
  `${exercises.filter(desk.isSolved).length} of ${exercises.length} solved`;

/** The lines of an exercise, its answer and its keys. */
export function exerciseLines(scene: Scene, exercises: Found[], desk: Desk, screen: Screen): string[] {
  const { found, files, answer, hints, allHints, remark, keys } = scene;
  const { title, text: task } = readTask(found.folder);
  const place = (path: string) => (/^\w+:/.test(path) ? path : posix.join("exercises", found.id, path));
  const solved = answer.is === "passed";
  return [
    ...heading(`${found.number} ${found.id}: ${title}`, count(exercises, desk), screen),
    "",
    ...(solved ? [] : [...screen.markdown(byHand(task, desk.path(found)), place), ""]),
    `Your copy:  ${files.map((file) => screen.style("bold", desk.path(found, file))).join(", ")}`,
    "",
    ...answerLines(answer, screen),
    ...(solved ? [] : hints).flatMap((hint, index) => [
      "",
      screen.style("yellow", `Hint ${index + 1} of ${allHints}`),
      ...screen.markdown(hint, place),
    ]),
    ...(remark ? ["", ...screen.wrap(remark)] : []),
    "",
    ...keys.flatMap((line) => screen.wrap(line)).map((line) => screen.style("dim", line)),
  ];
}

/** Adds to a task's commands where they are typed. Some of them run until Ctrl-C, so it takes several terminals. */
const byHand = (task: string, folder: string) =>
  task.replace(/^```sh$/m, `In each terminal, first: \`cd ${folder}\`\n\n$&`);

/** The lines of all exercises that fit the screen, around the one that the cursor is on. */
export function listLines(exercises: Found[], cursor: number, desk: Desk, screen: Screen): string[] {
  const width = Math.max(...exercises.map(({ id }) => id.length));
  const room = Math.max(screen.height - 4, 3);
  const first = Math.min(Math.max(cursor - Math.floor(room / 2), 0), Math.max(exercises.length - room, 0));
  const rows = exercises.slice(first, first + room).map((found, index) => {
    const { title } = readTask(found.folder);
    const mark = desk.isSolved(found) ? "✓" : " ";
    const line = `${mark} ${found.number.padEnd(4)} ${found.id.padEnd(width)}  ${title}`.slice(
      0,
      screen.width - 2,
    );
    return first + index === cursor ? screen.style("inverse", `> ${line}`) : `  ${line}`;
  });
  return [
    ...heading("All exercises", count(exercises, desk), screen),
    "",
    ...rows,
    "",
    screen.style("dim", "Up and down choose · Enter plays · l goes back · q quit"),
  ];
}

function heading(left: string, right: string, screen: Screen): string[] {
  const room = screen.width - left.length - right.length;
  const title = screen.style("bold", left);
  return room > 1 ? [`${title}${" ".repeat(room)}${right}`] : [title, right];
}

function answerLines(answer: Answer, screen: Screen): string[] {
  switch (answer.is) {
    case "being checked":
      return [screen.style("dim", "Checking …")];
    case "unchecked":
      return screen.wrap(`Your answer could not be checked: ${text(answer.why)}`);
    case "missed":
      return [
        ...screen.wrap(`✗ ${text(answer.miss)}`).map((line) => screen.style("red", line)),
        screen.style("dim", `Checked in ${answer.seconds.toFixed(1)} s. Save the file to check it again.`),
      ];
    case "passed": {
      const { yours, ours, given, seconds } = answer;
      const compared = screen.difference(yours, ours);
      return [
        screen.style("green", `✓ Solved. Checked in ${seconds.toFixed(1)} s.`),
        "",
        ...(compared.length > 0
          ? ["Our solution, compared with yours:", ...compared]
          : [
              "Yours is the same as our solution. It differs from what you began with:",
              ...screen.difference(given, ours),
            ]),
      ];
    }
  }
}
