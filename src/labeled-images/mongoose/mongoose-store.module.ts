import { Module, type DynamicModule } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { LabeledImageRepository } from '../labeled-image.repository';
import { LabeledImage, LabeledImageSchema } from './labeled-image.schema';
import { mongooseOptions } from './mongo-connection';
import { MongooseLabeledImageRepository } from './mongoose-labeled-image.repository';

/** The documents in MongoDB, with the connection to it. */
@Module({})
export class MongooseStoreModule {
  static register(uri: string): DynamicModule {
    return {
      module: MongooseStoreModule,
      imports: [
        MongooseModule.forRootAsync({ useFactory: () => mongooseOptions(uri) }),
        MongooseModule.forFeature([{ name: LabeledImage.name, schema: LabeledImageSchema }]),
      ],
      providers: [{ provide: LabeledImageRepository, useClass: MongooseLabeledImageRepository }],
      exports: [LabeledImageRepository],
    };
  }
}
