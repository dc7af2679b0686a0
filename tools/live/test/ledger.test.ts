import { describe, expect, test } from "vitest";
import { copyOf, type Known, Ledger, LISTED } from "../src/feed/ledger.ts";

const queue = "q";
const message = (number: number): Known => ({
  view: { id: number, exchange: "", key: queue, body: `${number}`, size: 1, properties: {}, headers: {} },
  mark: `mark ${number}`,
  exchange: "",
  key: queue,
});
const address = { exchange: "", key: queue };

/** A ledger with messages in its queue, from 1 up. */
function filled(count: number): Ledger {
  const ledger = new Ledger();
  for (let number = 1; number <= count; number++) ledger.put(queue, message(number));
  return ledger;
}

describe("a ledger", () => {
  test("knows the copies of a queue one by one, in their order", () => {
    const ledger = filled(3);
    const second = ledger.find(queue, "mark 2", address, false);
    if (!second) throw new Error("It is there.");
    expect(copyOf(second)).toEqual({ copy: 2, message: 2, queue });
    ledger.hold(second, "t1");
    expect(ledger.find(queue, "mark 2", address, false)).toBeUndefined();
    expect(ledger.counts().get(queue)).toEqual({ ready: 2, unacked: 1 });
    expect(ledger.giveBack(second)).toBe(true);
    expect(ledger.oldest(queue, 2).map(({ message }) => message)).toEqual([1, 2]);
    ledger.remove(second);
    ledger.remove(second);
    expect(ledger.ready(queue)).toBe(2);
    expect(ledger.giveBack(second)).toBe(false);
  });

  test("of a long queue, knows the oldest and counts the others", () => {
    const count = LISTED + 100;
    const ledger = filled(count);
    expect(ledger.in(queue).length).toBe(LISTED);
    expect(ledger.ready(queue)).toBe(count);
    // Room that becomes free is not for newer ones: they are behind those that are counted only.
    for (const entry of ledger.oldest(queue, 10)) ledger.remove(entry);
    ledger.put(queue, message(count + 1));
    expect(ledger.in(queue).length).toBe(LISTED - 10);
    expect(ledger.ready(queue)).toBe(count - 9);
  });

  test("counts those that it doesn't list exactly, whatever becomes of them", () => {
    const ledger = filled(LISTED + 4);
    const take = () => ledger.anyUnlisted(queue, () => message(9_999)) ?? ledger.put(queue, message(0));
    const [acked, requeued, autoAcked, dead] = [take(), take(), take(), take()];
    ledger.hold(acked, "t1");
    ledger.hold(requeued, "t1");
    expect(ledger.counts().get(queue)).toEqual({ ready: LISTED + 2, unacked: 2 });
    ledger.remove(acked);
    expect(ledger.giveBack(requeued)).toBe(true);
    ledger.remove(autoAcked);
    ledger.remove(dead);
    expect(ledger.counts().get(queue)).toEqual({ ready: LISTED + 1, unacked: 0 });
    ledger.remove(ledger.lastWaiting(queue) ?? dead);
    expect(ledger.anyUnlisted(queue)).toBeUndefined();
    expect(ledger.ready(queue)).toBe(LISTED);
    expect(ledger.firstWaiting(queue)?.message).toBe(1);
  });

  test("of a long stream, knows the newest", () => {
    const ledger = new Ledger();
    for (let offset = 0; offset < LISTED + 5; offset++) ledger.put(queue, message(offset), { offset });
    expect(ledger.in(queue).length).toBe(LISTED);
    expect(ledger.findAt(queue, 4)).toBeUndefined();
    expect(ledger.anyUnlisted(queue, () => message(4), 4)?.offset).toBe(4);
    expect(ledger.findAt(queue, LISTED + 4)?.message).toBe(LISTED + 4);
    expect(ledger.nextOffset(queue)).toBe(LISTED + 5);
    expect(ledger.ready(queue)).toBe(LISTED + 5);
  });

  test("a copy of a queue that is gone does nothing to a new one of the same name", () => {
    const ledger = filled(1);
    const [old] = ledger.in(queue);
    if (!old) throw new Error("It is there.");
    ledger.drop(queue);
    ledger.put(queue, message(2));
    ledger.hold(old, "t1");
    ledger.remove(old);
    expect(ledger.counts().get(queue)).toEqual({ ready: 1, unacked: 0 });
  });
});
