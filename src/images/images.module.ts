import { Module } from '@nestjs/common';
import { ImageRepository } from './image.repository';
import { RoiImageRepository } from './roi-image.repository';

@Module({
  providers: [ImageRepository, RoiImageRepository],
  exports: [ImageRepository, RoiImageRepository],
})
export class ImagesModule {}
