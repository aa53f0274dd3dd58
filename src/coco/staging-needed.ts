/**
 * Thrown where documents can't be written while the file is read, because not all of it is there yet: the file has to be
 * read into tables first. Nobody sees it but the import.
 */
export class StagingNeeded extends Error {}
