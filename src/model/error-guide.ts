import {ERROR_CODES, type ErrorCode} from './errors.js'

interface Guidance {
  /** The exit code of a command that fails with this code. */
  readonly exit: 2 | 3 | 4 | 70 | 130
  /** What the code means, in one or two sentences. */
  readonly means: string
  /** What to do next, in one or two sentences. */
  readonly next: string
}

/** What each error code means; the text of `docs/errors.md`. */
export const ERROR_GUIDE: Readonly<Record<ErrorCode, Guidance>> = {
  BAD_REFERENCE: {
    exit: 2,
    means: 'An argument is not a valid reference, or its transport does not accept it.',
    next: 'Write TRANSPORT:LOCATION; the message lists the transports and their grammar.',
  },
  BAD_OPTION: {
    exit: 2,
    means: 'A flag or argument is unknown, missing or invalid, or contradicts another one.',
    next: 'Run the command with --help to see its options.',
  },
  AMBIGUOUS_SELECTION: {
    exit: 2,
    means: 'The reference matches several images, packages or transports.',
    next: 'Select one of the candidates in the message.',
  },
  PLAN_INVALID: {
    exit: 2,
    means: 'The batch plan is not valid. The message gives file, line and column.',
    next: 'Correct the plan there. Nothing has been converted.',
  },
  NOT_FOUND: {
    exit: 3,
    means: 'The named file, folder, image, package or entry does not exist.',
    next: 'Check the spelling. `transship list` and `transship files` show what exists.',
  },
  UNRECOGNISED_FORMAT: {
    exit: 3,
    means: 'The content does not match its reference, or its format is unknown.',
    next: 'Check that the transport fits the path.',
  },
  ARCHIVE_TRUNCATED: {
    exit: 3,
    means: 'An archive or compressed stream ends too early.',
    next: 'Copy or save it again; the download or copy was cut off.',
  },
  ARCHIVE_CORRUPT: {
    exit: 3,
    means: 'An archive or compressed stream breaks the rules of its format.',
    next: 'Copy or save it again. The message gives the offset.',
  },
  ARCHIVE_CONTRADICTORY: {
    exit: 3,
    means: 'Two parts of an archive contradict each other about the same image.',
    next: 'Save the image again with a single tool.',
  },
  MANIFEST_MISSING: {
    exit: 3,
    means: 'A required manifest is missing.',
    next: 'Check that the archive holds an image, not only layers, and that the OCI layout was copied completely.',
  },
  MANIFEST_INVALID: {
    exit: 3,
    means: 'A manifest or index is not valid JSON, or breaks its schema.',
    next: 'Save or push the image again.',
  },
  CONFIG_MISSING: {
    exit: 3,
    means: 'An image has no configuration.',
    next: 'Save the image again. A package has a configuration only if it was made from an image.',
  },
  CONFIG_INVALID: {
    exit: 3,
    means: 'An image configuration is not valid JSON, or breaks its schema.',
    next: 'Save the image again.',
  },
  LAYER_MISSING: {
    exit: 3,
    means: 'The source does not contain a layer.',
    next: 'Pass --base with an image or package that has it.',
  },
  DIGEST_MISMATCH: {
    exit: 3,
    means: 'Content does not match its digest.',
    next: 'Get the source again; it was damaged or changed.',
  },
  SIZE_MISMATCH: {
    exit: 3,
    means: 'Content is longer or shorter than its declared size.',
    next: 'Get the source again; it was damaged or changed.',
  },
  LAYER_CORRUPT: {
    exit: 3,
    means: 'The content of a layer breaks the rules of its format.',
    next: 'Save the image again. The message names the entry.',
  },
  NAME_UNSAFE: {
    exit: 3,
    means:
      'A name in the source leads out of its folder or through a reparse point, or means something else on some systems.',
    next: 'Do not trust this source. The message names the entry.',
  },
  NAME_RESERVED: {
    exit: 3,
    means: 'A name in the source is reserved on Windows, like CON or NUL.txt.',
    next: 'Rename the entry where the source was made. The message names it.',
  },
  NAME_COLLISION: {
    exit: 3,
    means: 'Two names differ only in case, so Windows treats them as one.',
    next: 'Rename one of them where the source was made.',
  },
  DUPLICATE_ENTRY: {
    exit: 3,
    means: 'A name occurs twice where only one is allowed.',
    next: 'Save the image again. The message names the entry.',
  },
  LINK_TARGET_MISSING: {
    exit: 3,
    means: 'The target of a hard link does not exist at that point of the layer.',
    next: 'Save the image again. The message names the link.',
  },
  METADATA_INVALID: {
    exit: 3,
    means: 'The metadata of a package or layer breaks the rules of its format.',
    next: 'Export the package again. The message names the field.',
  },
  PACKAGE_INCOMPLETE: {
    exit: 3,
    means: 'A package lacks a required part.',
    next: 'Export or copy the package again.',
  },
  DEPENDENCY_MISSING: {
    exit: 3,
    means: 'A package that another one depends on is missing. The message shows the chain.',
    next: 'Pass --base with a repository or package that has it.',
  },
  DEPENDENCY_CYCLE: {
    exit: 3,
    means: 'Packages depend on each other in a circle. The message shows the chain.',
    next: 'Repair the repository.',
  },
  DEPENDENCY_MISMATCH: {
    exit: 3,
    means:
      'A dependency has a different version or architecture from the one required, or a different payload from the one that was built on.',
    next: 'Pass --base with the right one, or --accept-base-mismatch to use this one anyway.',
  },
  IDENTITY_CLASH: {
    exit: 3,
    means:
      'Two packages have the same identity but different content, or other packages were made on the one to replace.',
    next: 'Pass another --name or --package-version. --replace overwrites only a package that no other was made on.',
  },
  IDENTITY_INVALID: {
    exit: 3,
    means: 'A publisher, name or version breaks the rules for packages.',
    next: 'Pass --publisher, --name and --package-version.',
  },
  CARRIER_CORRUPT: {
    exit: 3,
    means: 'A file of a transport layout is not a valid backup stream.',
    next: 'Export or copy the transport layout again.',
  },
  REPARSE_CORRUPT: {
    exit: 3,
    means: 'A reparse point (link or junction) is damaged.',
    next: 'Save or export the source again. The message names the entry.',
  },
  DESCRIPTOR_CORRUPT: {
    exit: 3,
    means: 'A security descriptor is damaged.',
    next: 'Save or export the source again. The message names the entry.',
  },
  ATTRIBUTES_CORRUPT: {
    exit: 3,
    means: 'The extended attributes of a file are damaged.',
    next: 'Save or export the source again. The message names the entry.',
  },
  TOMBSTONES_CORRUPT: {
    exit: 3,
    means: 'The list of deletions of a transport layout is damaged.',
    next: 'Export or copy the transport layout again.',
  },
  HIVE_CORRUPT: {
    exit: 3,
    means: 'A registry hive breaks the rules of its format.',
    next: 'Save or export the source again. The message gives the hive and offset.',
  },
  HIVE_DIRTY: {
    exit: 3,
    means: 'A registry hive was not closed, and its logs are missing or damaged.',
    next: 'Put undamaged .LOG1 and .LOG2 files beside the hive, or export it again. To read it as it is, run transship hive --ignore-logs.',
  },
  HIVE_CONFLICT: {
    exit: 3,
    means: 'The registry deltas of several layers cannot be merged.',
    next: 'Convert with --layers chain, which merges nothing.',
  },
  RECIPE_CORRUPT: {
    exit: 3,
    means: 'The recipe for an exact way back is damaged.',
    next: 'Copy the package or image again.',
  },
  LIMIT_EXCEEDED: {
    exit: 3,
    means: 'The source exceeds a limit that protects against hostile input. The message names the limit.',
    next: 'If you trust the source, raise that limit, for example with `--max-unpacked SIZE`.',
  },
  PLATFORM_UNSUPPORTED: {
    exit: 3,
    means: 'The destination cannot store an image of this platform, or the source has none for the requested platform.',
    next: 'Choose another --platform or destination. Packages hold only Windows content.',
  },
  FORMAT_UNSUPPORTED: {
    exit: 3,
    means: 'The input is well-formed, but transship does not support this kind.',
    next: 'Convert it to a supported form with the tool that made it.',
  },
  LOSS_REFUSED: {
    exit: 3,
    means: 'The destination cannot store everything, and --strict refuses losses.',
    next: 'Leave out --strict to convert and report the losses.',
  },
  DESTINATION_EXISTS: {
    exit: 3,
    means: 'Something else already exists at the destination. Equal content is no error and stays as it is.',
    next: 'Pass --replace, or choose another destination.',
  },
  NO_ACCESS: {
    exit: 4,
    means: 'The operating system denied access.',
    next: 'Check the permissions, or run elevated.',
  },
  NO_SPACE: {
    exit: 4,
    means: 'The disk or quota is full, or the file system does not support files this large.',
    next: 'Free some space, or choose another destination.',
  },
  NAME_TOO_LONG: {
    exit: 4,
    means:
      'The file system of the destination does not support names this long, or a path leads through too many folders.',
    next: 'Choose a destination with a shorter path, or another file system.',
  },
  IO_FAILED: {
    exit: 4,
    means: 'The operating system reported an error while reading or writing.',
    next: 'Check the disk. The message gives the system code.',
  },
  LOCKED: {
    exit: 4,
    means: 'Another process is using the same repository or file.',
    next: 'Wait until it finishes, then run again.',
  },
  TOOL_MISSING: {
    exit: 4,
    means: 'A required program is not installed.',
    next: 'Install the program named in the message.',
  },
  WINDOWS_ONLY: {
    exit: 4,
    means: 'This operation needs the Windows API.',
    next: 'Run it on a Windows host.',
  },
  ENGINE_UNAVAILABLE: {
    exit: 4,
    means: 'No container engine answers.',
    next: 'Start the engine, or check its address.',
  },
  ENGINE_UNSUPPORTED: {
    exit: 4,
    means: "transship does not support the engine's address or API version.",
    next: 'Update the engine, or pass another address with `--engine`.',
  },
  ENGINE_REFUSED: {
    exit: 4,
    means: 'The container engine refused or failed a request.',
    next: "Read the engine's own words in the message, and its log for more.",
  },
  WRONG_ENGINE_OS: {
    exit: 4,
    means: 'The engine runs containers of another operating system than the image needs.',
    next: 'Pass another engine with `--engine`, or switch Docker Desktop to the other kind of containers.',
  },
  NETWORK_FAILED: {
    exit: 4,
    means: 'The network or the remote server failed.',
    next: 'Check the connection, then run again.',
  },
  TIMED_OUT: {
    exit: 4,
    means: 'An operation outside transship took too long.',
    next: 'Run again, with a longer timeout if the command has one.',
  },
  UNAUTHORIZED: {
    exit: 4,
    means: 'The image registry, engine or proxy rejected the credentials, or requires them.',
    next: 'Log in with `docker login`, or put user and password into the HTTPS_PROXY address, then run again.',
  },
  INTERRUPTED: {
    exit: 130,
    means: 'Ctrl-C or a signal stopped the work. No half-written output was left behind.',
    next: 'Run again.',
  },
  INTERNAL: {
    exit: 70,
    means: 'transship hit an internal error.',
    next: 'Report it with the command line and the trace.',
  },
}

const CLASSES = [
  [2, 'Usage'],
  [3, 'Input that is damaged, hostile, unsupported or incomplete'],
  [4, 'Environment: access, space, engines, network'],
  [130, 'Interrupted'],
  [70, 'A bug in transship'],
] as const

/** `docs/errors.md`: every code with its exit, meaning and advice. */
export function formatErrorGuide(): string {
  const sections = CLASSES.map(([exit, title]) => {
    const rows = ERROR_CODES.filter((code) => ERROR_GUIDE[code].exit === exit).map((code) => {
      const {means, next} = ERROR_GUIDE[code]
      return `| \`${code}\` | ${means} | ${next} |`
    })
    return [`## Exit ${exit}: ${title}`, '', '| Code | Meaning | What to do |', '| --- | --- | --- |', ...rows].join(
      '\n',
    )
  })
  return `# Errors

Every error has a stable code. Codes are never renamed or reused, so scripts can branch on them. With \`--json\`, a failed
command prints one document: the code, what went wrong, where, why, what to do next, and the causes
(\`src/schemas/error.schema.json\`). \`transship verify\` uses the same codes for the faults it finds.

A command exits with 0 on success. It exits with 1 when it finished and found a problem, such as a fault (\`verify\`), a
difference (\`diff\`) or a failed item (\`batch\`).

${sections.join('\n\n')}
`
}
