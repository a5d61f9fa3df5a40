import {packageGrammar} from '../../formats/package/reference.js'

export const APPX = 'appx'
export const GRAMMAR = packageGrammar(APPX, 'FILE|FOLDER')
/** Of the files of packages. */
export const EXTENSION = '.appx'
