/**
 * Thrown where rows and documents can't be written while the file is read: it is not in order, or only the tables can say
 * what is wrong with it. It has to be read into them first. Nobody sees it but the import.
 */
export class StagingNeeded extends Error {}
