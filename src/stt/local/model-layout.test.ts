import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { speechModelLayout } from "./model-layout.js";

const root = mkdtempSync(join(tmpdir(), "getpatter-layout-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("speechModelLayout", () => {
  it("knows a streaming Zipformer as it is published, with its small and exact files", () => {
    const stem = "epoch-99-avg-1-chunk-16-left-128";
    const folder = folderWith("zipformer", [
      ...["encoder", "decoder", "joiner"].flatMap((part) => [`${part}-${stem}.onnx`, `${part}-${stem}.int8.onnx`]),
      "tokens.txt",
      "bpe.model",
      "README.md",
    ]);
    expect(speechModelLayout(folder, "en")).toMatchObject({
      kind: "online",
      config: {
        modelConfig: {
          transducer: {
            encoder: join(folder, `encoder-${stem}.int8.onnx`),
            decoder: join(folder, `decoder-${stem}.onnx`),
            joiner: join(folder, `joiner-${stem}.int8.onnx`),
          },
          tokens: join(folder, "tokens.txt"),
        },
      },
    });
  });

  it("knows Moonshine", () => {
    const folder = folderWith("moonshine", [
      "preprocess.onnx",
      "encode.int8.onnx",
      "uncached_decode.int8.onnx",
      "cached_decode.int8.onnx",
      "tokens.txt",
    ]);
    expect(speechModelLayout(folder, "en")).toMatchObject({
      kind: "offline",
      config: {
        modelConfig: {
          moonshine: {
            preprocessor: join(folder, "preprocess.onnx"),
            encoder: join(folder, "encode.int8.onnx"),
            uncachedDecoder: join(folder, "uncached_decode.int8.onnx"),
            cachedDecoder: join(folder, "cached_decode.int8.onnx"),
          },
        },
      },
    });
  });

  it("knows Whisper and tells it the language without the region", () => {
    const folder = folderWith("whisper", ["base-encoder.onnx", "base-decoder.onnx", "base-encoder.int8.onnx", "base-tokens.txt"]);
    expect(speechModelLayout(folder, "pt-BR")).toMatchObject({
      kind: "offline",
      config: {
        modelConfig: {
          whisper: {
            encoder: join(folder, "base-encoder.int8.onnx"),
            decoder: join(folder, "base-decoder.onnx"),
            language: "pt",
            task: "transcribe",
          },
          tokens: join(folder, "base-tokens.txt"),
        },
      },
    });
  });

  it("knows a Vosk model", () => {
    expect(speechModelLayout(folderWith("vosk", ["am/", "conf/", "graph/", "README"]), "en")).toEqual({ kind: "vosk" });
  });

  it("says what it looks for and what it found", () => {
    expect(() => speechModelLayout(folderWith("piper", ["en_US-amy-low.onnx", "tokens.txt"]), "en")).toThrow(
      /found no model it knows in .*piper\. .*; there are en_US-amy-low\.onnx, tokens\.txt\.$/,
    );
    expect(() => speechModelLayout(join(root, "nowhere"), "en")).toThrow(
      /cannot read the model folder .*nowhere: pass the path of an unpacked model\./,
    );
  });
});

function folderWith(name: string, paths: readonly string[]): string {
  const folder = join(root, name);
  mkdirSync(folder);
  for (const path of paths) {
    if (path.endsWith("/")) mkdirSync(join(folder, path));
    else writeFileSync(join(folder, path), "");
  }
  return folder;
}
