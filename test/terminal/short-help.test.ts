import assert from 'node:assert/strict'
import path from 'node:path'
import {Config} from '@oclif/core'
import {shortHelp} from '../../src/terminal/short-help.js'
import {runCli} from '../helpers/run-cli.js'
import {PROJECT} from '../helpers/snapshot.js'

describe('short help', () => {
  it('of every command fits on a screen and in its width, and says where the whole is', async () => {
    const config = await Config.load(path.resolve(PROJECT))
    const own = config.commands.filter(({pluginName}) => pluginName === 'transship')
    assert.ok(own.length > 15)
    for (const command of own)
      for (const width of [80, 160]) {
        const text = shortHelp(command, {bin: 'transship', width, fill: (line) => line})
        const lines = text.split('\n')
        assert.ok(lines.length <= 60, `${command.id} has ${lines.length} lines`)
        // Usage and examples are there to be copied: they are not cut.
        const long = lines.filter((line) => line.length > width && !line.startsWith('  $ ') && !line.includes('--help'))
        assert.deepEqual(long, [], command.id)
        assert.match(text, new RegExp(`transship ${command.id.replaceAll(':', ' ')} --help$`))
      }
  })

  it('is what -h shows, and --help shows all', async () => {
    const [short, whole] = await Promise.all(['-h', '--help'].map((flag) => runCli(['convert', flag])))
    assert.deepEqual([short!.code, whole!.code, short!.stderr], [0, 0, ''])
    const lines = short!.stdout.toString().trimEnd().split('\n')
    assert.ok(lines.length <= 60 && lines.some((line) => line.includes('--layers')), lines.join('\n'))
    assert.ok(whole!.stdout.toString().split('\n').length > 150)
    assert.match(whole!.stdout.toString(), /--max-unpacked/)
  })
})
