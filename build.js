import {spawnSync} from 'node:child_process'
import {chmodSync, cpSync, rmSync, writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import process from 'node:process'
import {Plugin} from '@oclif/core'

const MANIFEST = 'oclif.manifest.json'

// Files that are left over would still run as commands and tests, and a manifest hide commands that are new.
rmSync('dist', {recursive: true, force: true})
rmSync(MANIFEST, {force: true})

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const {status} = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.json'], {stdio: 'inherit'})
if (status !== 0) process.exit(status ?? 1)
for (const folder of ['src/schemas', 'src/report/page']) cpSync(folder, `dist/${folder}`, {recursive: true})
chmodSync('dist/src/main.js', 0o755)

// Without it every start loads every command, to learn their names: three times as long.
const plugin = new Plugin({
  root: import.meta.dirname,
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
})
await plugin.load()
writeFileSync(MANIFEST, `${JSON.stringify(plugin.manifest, undefined, 2)}\n`)
