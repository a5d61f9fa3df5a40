import {readFileSync} from 'node:fs'
import path from 'node:path'
import {PROJECT} from '../helpers/snapshot.js'

/** Why the project needs a package, in a sentence that ends the one that begins with its name. */
export const REASONS: Readonly<Record<string, string>> = {
  '@dagrejs/dagre': 'lays out the graph of images and packages in a report',
  '@oclif/core': 'parses the command line, prints help, runs commands',
  '@oclif/plugin-help': 'is the command `help`',
  '@oclif/plugin-version': 'is the command `version`',
  ajv: 'checks JSON documents against schemas',
  'cli-truncate': 'shortens table cells without cutting characters of other scripts or escape sequences',
  'csv-stringify': 'writes reports as CSV',
  'd3-hierarchy': 'computes the tree map of sizes in a report',
  eta: 'renders the HTML page of a report',
  fzstd: 'decodes Zstandard; Node 20 cannot',
  listr2: 'shows the progress of work of several steps',
  ora: 'shows that a single step goes on',
  picomatch: 'matches the globs of plans',
  saxes: 'parses the XML of AppX packages and WIM files, and refuses what is not well-formed',
  'string-width': 'measures text in columns of a terminal',
  'unbzip2-stream': 'decodes bzip2',
  undici: 'talks to image registries and engines, with proxies and time limits',
  'xz-decompress': 'decodes xz',
  yaml: 'reads plans in YAML, with the line of each error',
  '@grpc/grpc-js': 'talks to containerd; optional',
  '@grpc/proto-loader': "reads the definitions of containerd's services; optional",
  bullmq: 'shares a batch between machines through Redis; optional',
  koffi: 'calls Windows, and sets times on Linux and macOS that Node cannot; optional',
  '@eslint/js': 'holds the recommended rules of ESLint',
  '@oclif/test': 'runs commands in tests',
  '@types/d3-hierarchy': 'holds types',
  '@types/mocha': 'holds types',
  '@types/node': 'holds types',
  '@types/picomatch': 'holds types',
  '@types/tar-stream': 'holds types',
  'axe-core': 'checks that reports are accessible',
  c8: 'measures the coverage of tests',
  'dependency-cruiser': 'enforces the direction of imports',
  esbuild: 'bundles the commands, so that they start fast',
  eslint: 'checks the code',
  'eslint-plugin-regexp': 'finds regular expressions that take a time quadratic in their text',
  'fast-check': 'tries properties with random cases, and shrinks what fails',
  'lockfile-lint': 'checks the lock file',
  mocha: 'runs the tests',
  postject: 'puts the program into an executable of Node',
  prettier: 'formats the code',
  'tar-stream': 'writes tars in tests, by other code than ours',
  'tree-sitter-powershell': 'parses the PowerShell module in tests',
  typedoc: "makes the pages of the library's interface",
  typescript: 'compiles the project',
  'typescript-eslint': 'lets ESLint read TypeScript',
  vitepress: 'makes the documentation site',
  'web-tree-sitter': 'runs `tree-sitter-powershell` as WebAssembly',
}

/** Packages with an install script, and why the project works without it. */
export const INSTALL_SCRIPTS: Readonly<Record<string, string>> = {
  esbuild: 'It only makes the start of its own command faster.',
  koffi: 'It looks for a build that the package holds already.',
  'msgpackr-extract': 'It looks for a build of an optional speed-up; `msgpackr` works without it.',
  protobufjs: 'It prints a warning about versions.',
  'tree-sitter-powershell': 'It builds a native module; tests use the WebAssembly that the package holds.',
}

export interface LockedPackage {
  readonly version: string
  readonly license?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface ProjectManifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

const read = (name: string): unknown => JSON.parse(readFileSync(path.join(PROJECT, name), 'utf8'))

export function readManifest(): ProjectManifest {
  return read('package.json') as ProjectManifest
}

/** By path in the project, as `node_modules/a/node_modules/b`; without the project itself. */
export function readLock(): ReadonlyMap<string, LockedPackage> {
  const {packages} = read('package-lock.json') as {readonly packages: Readonly<Record<string, LockedPackage>>}
  return new Map(Object.entries(packages).filter(([place]) => place !== ''))
}

export function nameOf(place: string): string {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** Where Node finds a package that the one at `from` asks for. */
function resolve(lock: ReadonlyMap<string, LockedPackage>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (lock.has(place)) return place
    if (folder === '') return undefined
  }
}

/** The packages that a package brings with it, itself not counted. */
export function broughtBy(lock: ReadonlyMap<string, LockedPackage>, name: string): ReadonlySet<string> {
  const top = `node_modules/${name}`
  const found = new Set<string>()
  const rest = [top]
  for (let place = rest.pop(); place !== undefined; place = rest.pop()) {
    const {dependencies = {}, optionalDependencies = {}} = lock.get(place) ?? {}
    for (const wanted of Object.keys({...dependencies, ...optionalDependencies})) {
      const next = resolve(lock, place, wanted)
      if (next === undefined || next === top || found.has(next)) continue
      found.add(next)
      rest.push(next)
    }
  }
  return found
}

/** `docs/dependencies.md`. */
export function describeDependencies(): string {
  const lock = readLock()
  const {dependencies, devDependencies, optionalDependencies} = readManifest()
  const table = (names: readonly string[]) =>
    [
      '| Package | What it does here | Licence | Brings | Install script |',
      '|---|---|---|---|---|',
      ...[...names].sort().map((name) => {
        const own = lock.get(`node_modules/${name}`)
        const brought = broughtBy(lock, name)
        const scripts = [`node_modules/${name}`, ...brought].filter(
          (place) => lock.get(place)?.hasInstallScript === true,
        )
        const told = [...new Set(scripts.map(nameOf))].sort().map((each) => `\`${each}\``)
        return `| \`${name}\` | ${REASONS[name] ?? ''} | ${own?.license ?? ''} | ${brought.size} | ${told.join(', ') || 'none'} |`
      }),
      '',
    ].join('\n')
  const scripts = Object.entries(INSTALL_SCRIPTS).map(([name, why]) => `| \`${name}\` | ${why} |`)
  return `# Dependencies

A package is added when it does something well that is no core work of this project. This page is made from \`package.json\` and
\`package-lock.json\`. *Brings* counts the packages that come with one, itself not counted.

## At run time

${table(Object.keys(dependencies).filter((name) => !(name in optionalDependencies)))}
Optional: without them transship says which package a feature needs.

${table(Object.keys(optionalDependencies))}
## For development

${table(Object.keys(devDependencies))}
## Install scripts

No install script is needed: \`npm ci --ignore-scripts && npm test\` passes, and continuous integration runs exactly that.

| Package | Why its script is not needed |
|---|---|
${scripts.join('\n')}

## What is checked

| Check | By |
|---|---|
| Every package in the lock file has a SHA-512 digest. The lock file names no address, so npm takes each package from the configured registry and compares the digest. | \`npm test\`, and \`lockfile-lint\` in \`npm run lint\` |
| Every direct dependency has a reason, and every licence allows what we do. | \`npm test\` |
| No other package has an install script. | \`npm test\` |
| The registry signed what the lock file names. | \`npm audit signatures\`, which needs a registry that publishes its keys, such as \`registry.npmjs.org\` |
| The same commit gives the same release, byte for byte, also from another folder. | \`npm run pack:twice\` |
`
}
