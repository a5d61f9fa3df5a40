import assert from 'node:assert/strict'
import {Config} from '@oclif/core'
import {Ajv2020} from 'ajv/dist/2020.js'
import {readSchemas} from './helpers/schemas.js'
import {assertStored, PROJECT} from './helpers/snapshot.js'

/** What scripts rely on, of one command: not its prose. */
async function surfaceOf(config: Config, id: string) {
  const command = config.findCommand(id, {must: true})
  const {args, flags} = await command.load()
  const own = command.flags
  return {
    id,
    aliases: command.aliases,
    args: Object.entries(args).map(([name, arg]) => ({name, required: arg.required})),
    flags: Object.keys({...own, ...flags})
      .sort()
      .map((name) => {
        const flag = own[name]
        return {
          name,
          type: flag?.type,
          ...(flag?.char === undefined ? {} : {char: flag.char}),
          ...(flag?.type === 'option' && flag.options !== undefined ? {options: flag.options} : {}),
          ...(flag?.type === 'option' && flag.multiple === true ? {multiple: true} : {}),
          ...(flag?.type === 'boolean' && flag.allowNo ? {allowNo: true} : {}),
          ...(flag?.exclusive === undefined ? {} : {exclusive: flag.exclusive}),
          ...(flag?.env === undefined ? {} : {env: flag.env}),
        }
      }),
  }
}

describe('surface', () => {
  it('has the commands, arguments, flags and JSON schemas that are stored', async () => {
    const config = await Config.load(PROJECT)
    const ids = config.commands.filter((command) => command.pluginName === 'transship').map((command) => command.id)
    const commands = await Promise.all(ids.sort().map((id) => surfaceOf(config, id)))
    const schemas = Object.fromEntries((await readSchemas()).map(({name, schema}) => [name, schema]))
    await assertStored('test/snapshots/surface.json', `${JSON.stringify({commands, schemas}, null, 2)}\n`)
  })

  it('has only schemas that are valid in strict mode', async () => {
    for (const {name, schema} of await readSchemas()) {
      const ajv = new Ajv2020({strict: true})
      assert.doesNotThrow(() => ajv.compile(schema), name)
    }
  })

  it('explains every command with a summary, a description and examples', async () => {
    const config = await Config.load(PROJECT)
    for (const command of config.commands.filter(({pluginName}) => pluginName === 'transship')) {
      assert.ok(command.summary, `${command.id} has no summary`)
      assert.ok(command.description, `${command.id} has no description`)
      assert.ok((command.examples?.length ?? 0) >= 2, `${command.id} has too few examples`)
      for (const [name, flag] of Object.entries(command.flags)) {
        assert.ok(flag.summary ?? flag.description, `${command.id} --${name} is not explained`)
      }
    }
  })
})
