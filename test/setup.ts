import {settings} from '@oclif/core/settings'

// Else core would load commands from their sources beside the compiled tests and every module would exist twice.
settings.enableAutoTranspile = false

// The tests know nothing of whoever runs them: neither their configuration file nor their defaults.
for (const name of Object.keys(process.env))
  if (name.startsWith('TRANSSHIP_') && name !== 'TRANSSHIP_CORPORA') Reflect.deleteProperty(process.env, name)
process.env['TRANSSHIP_CONFIG'] = ''
