import { describe, expect, it } from "vitest";
import { ConfigError } from "../../core/errors.js";
import { checkDialRules, dialRefusal, domesticRules } from "./dial-rules.js";
import { callingCode, isE164, maskNumbers } from "./numbers.js";

describe("rules for dialling", () => {
  it("allow calling codes, longer beginnings and whole numbers, and nothing else", () => {
    const rules = { allow: ["+44", "+1415", "+4930123456"] };
    for (const number of ["+442071838750", "+14155550100", "+4930123456"]) expect(dialRefusal(number, rules)).toBeUndefined();
    for (const number of ["+15550100000", "+49301234567", "+33123456789"])
      expect(dialRefusal(number, rules)).toBe("it is not among the allowed numbers (+44, +1415, +4930123456)");
  });

  it.each(["+19005550100", "+18765550100", "+449061234567", "+8816123456789", "+97912345678", "+33899123456"])(
    "refuse the premium number %s, unless it is given whole",
    (number) => {
      expect(dialRefusal(number, domesticRules(number))).toBe("it is in a premium range");
      expect(dialRefusal(number, { allow: [number] })).toBeUndefined();
    },
  );

  it.each(["911", "5550100", "sip:a@b.example", "+0123456789", "", "+1555010000000000000", "+1 555 0100"])(
    "refuse what is no number: %s",
    (number) => {
      expect(dialRefusal(number, { allow: ["+1"] })).toMatch(/E\.164/);
    },
  );

  it("are the own country's where nobody says otherwise", () => {
    expect(domesticRules("+442071838750")).toEqual({ allow: ["+44"] });
    expect(domesticRules("sip:agent@example.com")).toEqual({ allow: [] });
  });

  it("must be beginnings of numbers", () => {
    expect(() => checkDialRules("x", ["+1", "+4420"])).not.toThrow();
    for (const entry of ["1", "US", "+", 44, undefined])
      expect(() => checkDialRules("transferNumbers", [entry as string])).toThrow(ConfigError);
    expect(() => checkDialRules("transferNumbers", "US" as never)).toThrow('transferNumbers holds "US"');
  });
});

describe("a number", () => {
  it.each([
    ["+15550100", "+1"],
    ["+79161234567", "+7"],
    ["+201234567890", "+20"],
    ["+212612345678", "+212"],
    ["+35312345678", "+353"],
    ["+4420718387", "+44"],
    ["+420123456789", "+420"],
    ["+8613812345678", "+86"],
    ["+85212345678", "+852"],
    ["+966512345678", "+966"],
  ])("%s has the calling code %s", (number, code) => {
    expect(callingCode(number)).toBe(code);
  });

  it("is E.164 with a plus and no more than fifteen digits", () => {
    expect(["+15550100", "+123456789012345"].every(isE164)).toBe(true);
    expect(["15550100", "+1234567890123456", "+1-555-0100", "+1"].some(isE164)).toBe(false);
  });

  it("is masked within a text", () => {
    expect(maskNumbers("The number +15550001234 is wrong, as is 15550001234.")).toBe(
      "The number +1555*****34 is wrong, as is 1555*****34.",
    );
    expect(maskNumbers("error 21211 of 2026")).toBe("error 21211 of 2026");
  });
});
