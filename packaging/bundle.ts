import {readFileSync, readdirSync, statSync} from 'node:fs'
import path from 'node:path'
import {build, type Plugin} from 'esbuild'
import type {Interfaces} from '@oclif/core'

/** Folders of `src` whose files are read at run time. */
const OWN_FOLDERS = ['completion', 'schemas', 'report/page']

/** Optional parts of packages that nothing here uses: they must not be looked for beside the executable. */
const ABSENT = ['typescript', 'bufferutil', 'utf-8-validate']

const ENTRY_IMPORTS = `import './src/terminal/environment.ts'
import {start} from './packaging/executable/start.ts'
`

/** What the executable carries as scripts. */
export interface BundledCode {
  /** The command line. */
  readonly code: string
  /** What its worker threads run. */
  readonly workerCode: string
  /** Folders of the packages whose code is carried. */
  readonly packages: readonly string[]
}

/**
 * The whole command line as one CommonJS script, with every package that it uses but koffi. `root` is the checkout, built:
 * the manifest names the commands.
 */
export async function bundleCommandLine(root: string): Promise<BundledCode> {
  const own = readJson(path.join(root, 'package.json')) as Interfaces.PJSON
  const {plugins = []} = own.oclif
  const entries = [
    pluginEntry(own, root, (file) => file.replace(/^dist\/(.*)\.js$/, '$1.ts')),
    ...plugins.map((name) => {
      const folder = path.join(root, 'node_modules', name)
      return pluginEntry(readJson(path.join(folder, 'package.json')) as Interfaces.PJSON, folder, (file) => file)
    }),
  ]
  const commandLine = await bundle(root, `${ENTRY_IMPORTS}void start([\n${entries.join(',\n')}\n])\n`)
  const worker = await bundle(root, `import './src/tasks/worker.ts'\n`)
  return {
    code: commandLine.code,
    workerCode: worker.code,
    packages: packagesOf([...commandLine.inputs, ...worker.inputs]),
  }
}

async function bundle(root: string, contents: string) {
  const {outputFiles, metafile} = await build({
    stdin: {contents, resolveDir: root, loader: 'js'},
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    conditions: ['import'],
    external: ['koffi', ...ABSENT],
    define: {'import.meta.url': 'executableUrl'},
    banner: {js: "const executableUrl = require('node:url').pathToFileURL(process.execPath).href;"},
    plugins: [carriedModules(root)],
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error('esbuild made no script.')
  return {code: file.text, inputs: Object.keys(metafile.inputs)}
}

/** Source of a `CarriedPlugin`. `sourceOf` gives the file to bundle for one that the package ships. */
function pluginEntry(pjson: Interfaces.PJSON, folder: string, sourceOf: (file: string) => string): string {
  const manifest = readJson(path.join(folder, 'oclif.manifest.json')) as Interfaces.Manifest
  const {name, version, oclif} = pjson
  const description = pjson['description'] as string | undefined
  const hooks = Object.values(oclif.hooks ?? {}).flat()
  const files = [
    ...Object.values(manifest.commands).map(({relativePath}) => (relativePath ?? []).join('/')),
    ...hooks.map((hook) => (typeof hook === 'string' ? hook : hook.target)),
    ...(typeof oclif.helpClass === 'string' ? [oclif.helpClass] : []),
  ].map((file) => file.replace(/^\.\//, ''))
  const modules = [...new Set(files)].map((file) => {
    const source = path.join(folder, sourceOf(file))
    return `${JSON.stringify(file)}: () => import(${JSON.stringify(source)})`
  })
  const known = JSON.stringify({name, version, description, oclif})
  return `{pjson: ${known}, manifest: ${JSON.stringify(manifest)}, modules: {${modules.join(', ')}}}`
}

/** oclif imports commands, hooks and help as files; here it finds them in the script. */
function carriedModules(root: string): Plugin {
  return {
    name: 'carried-modules',
    setup(work) {
      work.onResolve({filter: /\/module-loader$/}, ({importer}) =>
        importer.includes(path.join('@oclif', 'core', 'lib'))
          ? {path: path.join(root, 'packaging', 'executable', 'module-loader.ts')}
          : undefined,
      )
    },
  }
}

/** Folders of the packages whose code is carried. */
function packagesOf(inputs: readonly string[]): readonly string[] {
  const folders = inputs.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [])
  return [...new Set(folders)].sort()
}

/** The files that `readOwnFile` knows, by name. */
export function listOwnFiles(root: string): ReadonlyMap<string, string> {
  const files = OWN_FOLDERS.flatMap((folder) =>
    readdirSync(path.join(root, 'src', folder))
      .map((name) => `${folder}/${name}`)
      .filter((name) => statSync(path.join(root, 'src', name)).isFile()),
  )
  return new Map(files.sort().map((name) => [name, path.join(root, 'src', name)]))
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
