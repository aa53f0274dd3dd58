/** The answer of GET …/duplication/maps. */
export interface Relations {
  readonly old_new_lab_class_map: Readonly<Record<string, { readonly lab_class_id_new: number }>>;
  readonly old_new_img_info_map: Readonly<Record<string, NewImageInfo>>;
  readonly roi_id_old_img_id_old: Readonly<Record<string, string>>;
  readonly next_cursor: string | null;
}

export interface NewImageInfo {
  readonly img_id_new: string;
  readonly img_roi_id_old: string | null;
  readonly img_roi_id_new: string | null;
  readonly labeled_img_id_old: string | null;
  readonly labeled_img_id_new: string | null;
}
