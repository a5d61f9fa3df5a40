import {settings} from '@oclif/core/settings'

// Else core would load commands from their sources beside the compiled tests and every module would exist twice.
settings.enableAutoTranspile = false
