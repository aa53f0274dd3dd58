import { Module } from '@nestjs/common';
import { LabelClassRepository } from './label-class.repository';

@Module({ providers: [LabelClassRepository], exports: [LabelClassRepository] })
export class LabelClassesModule {}
