import {spawnSync} from 'node:child_process'
import {chmodSync, cpSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import path from 'node:path'
import process from 'node:process'
import {Plugin} from '@oclif/core'
import {build} from 'esbuild'

const MANIFEST = 'oclif.manifest.json'
/** Not carried in the command line: oclif is shared with its plugins, the others load files of their own or are seldom met. */
const APART = [
  '@oclif/core',
  '@oclif/plugin-help',
  '@oclif/plugin-version',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  'bullmq',
  'koffi',
]

// Files that are left over would still run as commands and tests, and a manifest hide commands that are new.
rmSync('dist', {recursive: true, force: true})
rmSync(MANIFEST, {force: true})

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const {status} = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.json'], {stdio: 'inherit'})
if (status !== 0) process.exit(status ?? 1)
for (const folder of ['src/completion', 'src/schemas', 'src/report/page'])
  cpSync(folder, `dist/${folder}`, {recursive: true})
chmodSync('dist/src/main.js', 0o755)
await bundleCommands()

// Without it every start loads every command, to learn their names: three times as long.
const plugin = new Plugin({
  root: import.meta.dirname,
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
})
await plugin.load()
writeFileSync(MANIFEST, `${JSON.stringify(plugin.manifest, undefined, 2)}\n`)

/**
 * Puts the commands, the worker threads and all that they use into a few files: to find and open some 600 is half of the
 * time that a short command takes. The library beside them stays as it is compiled.
 */
async function bundleCommands() {
  const commands = readdirSync('dist/commands', {recursive: true, encoding: 'utf8'}).filter((name) =>
    name.endsWith('.js'),
  )
  const {metafile} = await build({
    entryPoints: [...commands.map((name) => path.join('dist/commands', name)), 'dist/src/tasks/worker.js'],
    outbase: 'dist',
    outdir: 'dist',
    allowOverwrite: true,
    chunkNames: 'commands-shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: APART,
    // What CommonJS packages ask for at run time.
    banner: {
      js: "import {createRequire as requireFrom} from 'node:module';const require = requireFrom(import.meta.url);",
    },
    // A start reads a megabyte of it. Names stay, for the traces of our own faults.
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: false,
    sourcemap: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  })
  writeFileSync('dist/commands-shared/LICENSES.txt', licensesOf(Object.keys(metafile.inputs)))
}

/** The licences of the packages whose code is carried. */
function licensesOf(files) {
  const folders = new Set(files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []))
  return [...folders]
    .sort()
    .map((folder) => {
      const {name, version, license} = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
      const text = file === undefined ? '' : `\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`
      return `${name} ${version} (${license})\n${text}`
    })
    .join('\n----\n\n')
}
