import {ERROR_CODES, type ErrorCode} from './errors.js'

interface Guidance {
  /** The exit code of a command that ends with it. */
  readonly exit: 2 | 3 | 4 | 70 | 130
  /** What it means, as one sentence. */
  readonly means: string
  /** What to do next, as one sentence. */
  readonly next: string
}

/** What each error code means; the text of `docs/errors.md`. */
export const ERROR_GUIDE: Readonly<Record<ErrorCode, Guidance>> = {
  BAD_REFERENCE: {
    exit: 2,
    means: 'An argument is no reference, or not one of its transport.',
    next: 'Write TRANSPORT:LOCATION; the message lists the transports and their grammar.',
  },
  BAD_OPTION: {
    exit: 2,
    means: 'A flag or argument is unknown, missing, contradicts another or has a wrong value.',
    next: 'See the options of the command with --help.',
  },
  AMBIGUOUS_SELECTION: {
    exit: 2,
    means: 'The reference fits several images, packages or transports.',
    next: 'Select one; the message lists the candidates.',
  },
  PLAN_INVALID: {
    exit: 2,
    means: 'The plan of a batch is not valid; the place is file, line and column.',
    next: 'Correct the plan there; nothing has been converted.',
  },
  NOT_FOUND: {
    exit: 3,
    means: 'The file, folder, image, package or entry that was named is not there.',
    next: 'Check the spelling; `transship list` and `transship files` show what is there.',
  },
  UNRECOGNISED_FORMAT: {
    exit: 3,
    means: 'The content is not what its reference says, or of no known format.',
    next: 'Check that the path and the transport belong together.',
  },
  ARCHIVE_TRUNCATED: {
    exit: 3,
    means: 'An archive or compressed stream ends too early.',
    next: 'Copy or save it again: the download or copy was cut.',
  },
  ARCHIVE_CORRUPT: {
    exit: 3,
    means: 'An archive or compressed stream breaks the rules of its format.',
    next: 'Copy or save it again; the message names the offset.',
  },
  ARCHIVE_CONTRADICTORY: {
    exit: 3,
    means: 'Two parts of an archive say different things about the same image.',
    next: 'Save the image again with one tool.',
  },
  MANIFEST_MISSING: {
    exit: 3,
    means: 'There is no manifest where one is needed.',
    next: 'Check that the archive holds an image, not only layers, and that an OCI layout was copied whole.',
  },
  MANIFEST_INVALID: {
    exit: 3,
    means: 'A manifest or index is no valid JSON, or breaks its schema.',
    next: 'Save or push the image again.',
  },
  CONFIG_MISSING: {
    exit: 3,
    means: 'An image has no configuration.',
    next: 'Save the image again; a package has a configuration only if it was made from an image.',
  },
  CONFIG_INVALID: {
    exit: 3,
    means: 'An image configuration is no valid JSON, or breaks its schema.',
    next: 'Save the image again.',
  },
  LAYER_MISSING: {
    exit: 3,
    means: 'The content of a layer is not in the source.',
    next: 'Give --base with an image or package that has it.',
  },
  DIGEST_MISMATCH: {
    exit: 3,
    means: 'Bytes do not have the digest that was promised for them.',
    next: 'Get the source again: it was damaged or changed.',
  },
  SIZE_MISMATCH: {
    exit: 3,
    means: 'Something is longer or shorter than was promised.',
    next: 'Get the source again: it was damaged or changed.',
  },
  LAYER_CORRUPT: {
    exit: 3,
    means: 'The content of a layer breaks the rules of its format.',
    next: 'Save the image again; the message names the entry.',
  },
  NAME_UNSAFE: {
    exit: 3,
    means:
      'A name in the source would lead out of its folder or through a reparse point, or means something else on some system.',
    next: 'Do not trust this source; the message names the entry.',
  },
  NAME_RESERVED: {
    exit: 3,
    means: 'A name in the source is reserved on Windows, like CON or NUL.txt.',
    next: 'Rename it where the source was made; the message names the entry.',
  },
  NAME_COLLISION: {
    exit: 3,
    means: 'Two names differ in upper and lower case only, which Windows takes for one.',
    next: 'Rename one where the source was made.',
  },
  DUPLICATE_ENTRY: {
    exit: 3,
    means: 'The same name occurs twice where it may occur once.',
    next: 'Save the image again; the message names the entry.',
  },
  LINK_TARGET_MISSING: {
    exit: 3,
    means: 'A hard link leads to no file, as things stand at its place in the layer.',
    next: 'Save the image again; the message names the link.',
  },
  METADATA_INVALID: {
    exit: 3,
    means: 'The metadata of a package or layer break the rules of their format.',
    next: 'Export the package again; the message names the field.',
  },
  PACKAGE_INCOMPLETE: {
    exit: 3,
    means: 'A package lacks a part that it must have.',
    next: 'Export or copy the package again.',
  },
  DEPENDENCY_MISSING: {
    exit: 3,
    means: 'A package depends on one that is not there; the message has the chain.',
    next: 'Give --base with a repository or package that has it.',
  },
  DEPENDENCY_CYCLE: {
    exit: 3,
    means: 'Packages depend on each other in a circle; the message has the chain.',
    next: 'Mend the repository.',
  },
  DEPENDENCY_MISMATCH: {
    exit: 3,
    means:
      'A dependency is there in another version or architecture than the one needed, or with another payload than the one that was built on.',
    next: 'Give --base with the right one, or --accept-base-mismatch to take it all the same.',
  },
  IDENTITY_CLASH: {
    exit: 3,
    means:
      'Two packages have one identity and different content, or others were made on the one that is to be replaced.',
    next: 'Give one another --name or --package-version. --replace overwrites what nothing else was made on.',
  },
  IDENTITY_INVALID: {
    exit: 3,
    means: 'A publisher, name or version breaks the rules for packages.',
    next: 'Give --publisher, --name and --package-version.',
  },
  CARRIER_CORRUPT: {
    exit: 3,
    means: 'A file of a transport layout is no valid backup stream.',
    next: 'Export or copy the transport layout again.',
  },
  REPARSE_CORRUPT: {
    exit: 3,
    means: 'A reparse point (link, junction) is damaged.',
    next: 'Save or export the source again; the message names the entry.',
  },
  DESCRIPTOR_CORRUPT: {
    exit: 3,
    means: 'A security descriptor is damaged.',
    next: 'Save or export the source again; the message names the entry.',
  },
  ATTRIBUTES_CORRUPT: {
    exit: 3,
    means: 'The extended attributes of a file are damaged.',
    next: 'Save or export the source again; the message names the entry.',
  },
  TOMBSTONES_CORRUPT: {
    exit: 3,
    means: 'The list of deletions of a transport layout is damaged.',
    next: 'Export or copy the transport layout again.',
  },
  HIVE_CORRUPT: {
    exit: 3,
    means: 'A registry hive breaks the rules of its format.',
    next: 'Save or export the source again; the message names the hive and offset.',
  },
  HIVE_DIRTY: {
    exit: 3,
    means: 'A registry hive was not closed, and no log beside it completes it: none is there, or all are damaged.',
    next: 'Put the undamaged .LOG1 and .LOG2 files beside the hive, or export it again. To see it as it is: transship hive --ignore-logs.',
  },
  HIVE_CONFLICT: {
    exit: 3,
    means: 'Registry deltas of several layers cannot be composed.',
    next: 'Convert with --layers chain, which composes nothing.',
  },
  RECIPE_CORRUPT: {
    exit: 3,
    means: 'What was kept for an exact way back is damaged.',
    next: 'Copy the package or image again.',
  },
  LIMIT_EXCEEDED: {
    exit: 3,
    means: 'The source exceeds a limit that protects from hostile input; the message names the limit.',
    next: 'If you trust the source, raise the limit that the message names, such as `--max-unpacked SIZE`.',
  },
  PLATFORM_UNSUPPORTED: {
    exit: 3,
    means: 'The image is for a platform that the destination cannot hold, or has none of the one asked for.',
    next: 'Choose another --platform or destination: packages hold Windows payload.',
  },
  FORMAT_UNSUPPORTED: {
    exit: 3,
    means: 'The input is well-formed, and transship does not handle this kind of it.',
    next: 'Convert it with the tool that made it to a form that is supported.',
  },
  LOSS_REFUSED: {
    exit: 3,
    means: 'The destination cannot hold everything, and --strict refuses that.',
    next: 'Leave out --strict to convert and have the losses reported.',
  },
  DESTINATION_EXISTS: {
    exit: 3,
    means: 'There is something else at the destination already; what is equal is left, and no error.',
    next: 'Give --replace, or another destination.',
  },
  NO_ACCESS: {
    exit: 4,
    means: 'The operating system denies access.',
    next: 'Check the permissions, or run elevated.',
  },
  NO_SPACE: {
    exit: 4,
    means: 'The disk or the quota is full, or the file system cannot hold so large a file.',
    next: 'Free some space, or choose another destination.',
  },
  NAME_TOO_LONG: {
    exit: 4,
    means: 'The file system of the destination cannot hold a name this long, or a path leads through too many folders.',
    next: 'Choose a destination with a shorter path, or another file system.',
  },
  IO_FAILED: {
    exit: 4,
    means: 'The operating system reports an error while reading or writing.',
    next: 'Check the disk; the message has the system code.',
  },
  LOCKED: {
    exit: 4,
    means: 'Another process works on the same repository or file.',
    next: 'Wait for it, then run again.',
  },
  TOOL_MISSING: {
    exit: 4,
    means: 'A program that is needed for this is not installed.',
    next: 'Install the program that the message names.',
  },
  WINDOWS_ONLY: {
    exit: 4,
    means: 'This needs the Windows API.',
    next: 'Run it on a Windows host.',
  },
  ENGINE_UNAVAILABLE: {
    exit: 4,
    means: 'No container engine answers.',
    next: 'Start the engine, or check where it listens.',
  },
  ENGINE_UNSUPPORTED: {
    exit: 4,
    means: 'The container engine is reached in a way, or speaks a version of its API, that is not spoken here.',
    next: 'Update the engine, or give another address with `--engine`.',
  },
  ENGINE_REFUSED: {
    exit: 4,
    means: 'The container engine could not do what it was asked.',
    next: "The message has the engine's own words; its log has more.",
  },
  WRONG_ENGINE_OS: {
    exit: 4,
    means: 'The image is of another operating system than the containers of this engine.',
    next: 'Give the engine of the other system with `--engine`, or switch the containers of Docker Desktop.',
  },
  NETWORK_FAILED: {
    exit: 4,
    means: 'The network or the other side failed.',
    next: 'Check the connection, then run again.',
  },
  TIMED_OUT: {
    exit: 4,
    means: 'Something outside took longer than it was given.',
    next: 'Run again, with more time where there is an option for it.',
  },
  UNAUTHORIZED: {
    exit: 4,
    means: 'The image registry, the engine or a proxy on the way refused the credentials, or wants some.',
    next: 'Log in with `docker login`, or put user and password into the address in HTTPS_PROXY, then run again.',
  },
  INTERRUPTED: {
    exit: 130,
    means: 'The work was stopped by Ctrl-C or a signal; nothing half-written was left.',
    next: 'Run again.',
  },
  INTERNAL: {
    exit: 70,
    means: 'transship failed in a way it should not.',
    next: 'Report it with the command line and the trace.',
  },
}

const CLASSES = [
  [2, 'Wrong usage'],
  [3, 'The input: damaged, hostile, unsupported, incomplete'],
  [4, 'The environment: access, space, engines, network'],
  [130, 'Interrupted'],
  [70, 'Our own fault'],
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

Every error has a code that is never renamed or reused: scripts may branch on it. With \`--json\` a failed command prints
one document with the code, what went wrong, where, why, what to do next and the causes (\`src/schemas/error.schema.json\`);
\`transship verify\` uses the same codes for the faults it finds.

A command exits with 0 when it is done, and with 1 when it is done and found something (\`verify\` found faults).

${sections.join('\n\n')}
`
}
