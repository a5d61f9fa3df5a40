import {packageGrammar} from '../../formats/package/reference.js'

export const INBOX = 'inbox'
export const GRAMMAR = packageGrammar(INBOX, 'REPOSITORY')
