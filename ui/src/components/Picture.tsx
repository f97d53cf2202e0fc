import "./Picture.css";
import { Maximize, Minus, Plus } from "lucide-react";
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Schemas } from "../api/client";
import { percent } from "../lib/format";
import { usePageKeys } from "../lib/hooks";
import { bySize, OTHER_COLOUR, outline, pointsOf, type ImageObject } from "../lib/marks";
import { singleKeys } from "../lib/keys";
import { fitted, moved, zoomed, type Size, type View } from "../lib/zoom";
import { useWords } from "../words";

type Props = {
  image: Schemas["DatasetImage"];
  colours: Map<string, string>;
  hidden: readonly string[];
  /** The class that the legend points at. */
  lit: string | null;
};

const STEP = 1.4;
const WHEEL = 0.0015;
const LINE = 16;
const PAN = 60;
/** From here on single pixels are of interest. */
const PIXELS = 4;
/** With more marks than this only the one pointed at is named. */
const NAMED = 40;
const NAME = 18;

/** The whole image with what is marked in it. It is zoomed by wheel, pinch and keys, and dragged about. */
export function Picture({ image, colours, hidden, lit }: Props) {
  const t = useWords().imagePage;
  const stage = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const [shown, setShown] = useState<{ n: number; view: View | null; broken: boolean; over: number | null }>({ n: image.n, view: null, broken: false, over: null });
  const now = shown.n === image.n ? shown : { n: image.n, view: null, broken: false, over: null };
  const pointers = useRef(new Map<number, { x: number; y: number }>());

  useLayoutEffect(() => {
    const element = stage.current!;
    const measure = (): void => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const fit = size.width > 0 ? fitted(size, image) : null;
  const view = now.view ?? fit;
  const zoom = (factor: number, at = { x: size.width / 2, y: size.height / 2 }): void => {
    if (view) setShown({ ...now, view: zoomed(view, factor, at, size, image) });
  };
  const pan = (x: number, y: number): void => {
    if (now.view) setShown({ ...now, view: moved(now.view, { x, y }, size, image) });
  };
  const whole = (): void => setShown({ ...now, view: null });

  const keys = (key: string): boolean => {
    if (key === "+" || key === "=") zoom(STEP);
    else if (key === "-") zoom(1 / STEP);
    else if (key === "0") whole();
    else return false;
    return true;
  };
  usePageKeys((key) => singleKeys.on() && keys(key));

  // React's own listener is a passive one, which could not keep the page from scrolling.
  const onWheel = useEffectEvent((event: WheelEvent): void => {
    event.preventDefault();
    const box = stage.current!.getBoundingClientRect();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
    zoom(Math.exp(-event.deltaY * lines * WHEEL), { x: event.clientX - box.left, y: event.clientY - box.top });
  });
  useEffect(() => {
    const element = stage.current!;
    const listen = (event: WheelEvent): void => onWheel(event);
    element.addEventListener("wheel", listen, { passive: false });
    return () => element.removeEventListener("wheel", listen);
  }, []);

  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = event.shiftKey ? { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] }[event.key] : undefined;
    if (by) pan(by[0]!, by[1]!);
    else if (!keys(event.key)) return;
    event.preventDefault();
  }

  function onPointerMove(event: PointerEvent): void {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    const box = stage.current!.getBoundingClientRect();
    const after = { x: event.clientX - box.left, y: event.clientY - box.top };
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const [was, is] = [before, after].map((point) => Math.hypot(point.x - other.x, point.y - other.y));
      if (was! > 0) zoom(is! / was!, { x: (after.x + other.x) / 2, y: (after.y + other.y) / 2 });
    } else pan(after.x - before.x, after.y - before.y);
    pointers.current.set(event.pointerId, after);
  }
  function onPointerDown(event: PointerEvent): void {
    if (event.button !== 0 || (event.target instanceof Element && event.target.closest("button"))) return;
    const box = stage.current!.getBoundingClientRect();
    pointers.current.set(event.pointerId, { x: event.clientX - box.left, y: event.clientY - box.top });
    stage.current!.setPointerCapture(event.pointerId);
  }
  const onPointerUp = (event: PointerEvent): void => void pointers.current.delete(event.pointerId);

  const objects = bySize(image.objects).filter((object) => !hidden.includes(object.class));
  return (
    <div className="picture">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a picture that is moved like a map */}
      <div
        ref={stage}
        className="picture-stage"
        data-zoomed={now.view !== null}
        tabIndex={0}
        role="group"
        aria-label={t.stage}
        aria-describedby="picture-keys"
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={onPointerUp}
        onDoubleClick={whole}
      >
        {view && (
          <>
            <img
              key={`${image.n} ${now.broken}`}
              src={now.broken ? image.thumbnail_url : image.image_url}
              alt={image.file_name}
              width={image.width}
              height={image.height}
              draggable={false}
              data-pixels={view.scale >= PIXELS}
              data-testid="picture"
              style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
              onError={() => now.broken || setShown({ ...now, broken: true })}
            />
            <Marks objects={objects} view={view} colours={colours} lit={lit} over={now.over} onOver={(over) => setShown({ ...now, over })} />
          </>
        )}
        {image.labels.length > 0 && (
          <ul className="picture-labels">
            {image.labels.map((label) => (
              <li key={label} className="picture-name" style={{ background: colours.get(label) ?? OTHER_COLOUR }}>
                {label}
              </li>
            ))}
          </ul>
        )}
      </div>
      <p id="picture-keys" className="visually-hidden">
        {t.keys}
      </p>
      <div className="picture-bar">
        {now.broken && <p className="small">{t.cannotShow}</p>}
        <div className="row picture-tools" role="group" aria-label={t.zoom}>
          <button type="button" className="chip" aria-label={t.farther} title={t.farther} onClick={() => zoom(1 / STEP)}>
            <Minus size={16} aria-hidden />
          </button>
          <span className="small num" role="status" aria-label={t.zoom}>
            {view ? percent(100 * view.scale) : ""}
          </span>
          <button type="button" className="chip" aria-label={t.closer} title={t.closer} onClick={() => zoom(STEP)}>
            <Plus size={16} aria-hidden />
          </button>
          <button type="button" className="chip" aria-label={t.fit} title={t.fit} disabled={now.view === null} onClick={whole}>
            <Maximize size={16} aria-hidden />
          </button>
        </div>
      </div>
    </div>
  );
}

/** Above its box; where the stage ends there, at the stage's edge, as long as the box is on it. */
function nameTop({ box }: ImageObject, view: View): number {
  const [above, bottom] = [view.y + view.scale * box.y - NAME, view.y + view.scale * (box.y + box.h)];
  return Math.round(bottom > NAME ? Math.max(0, above) : above);
}

type MarksProps = { objects: ImageObject[]; view: View; colours: Map<string, string>; lit: string | null; over: number | null; onOver: (place: number | null) => void };

/** Lines and names keep their size while the image is zoomed. */
function Marks({ objects, view, colours, lit, over, onOver }: MarksProps) {
  const isLit = (object: ImageObject, place: number): boolean => (over !== null ? place === over : object.class === lit);
  const isDim = (object: ImageObject, place: number): boolean => (over !== null || lit !== null) && !isLit(object, place);
  return (
    <>
      <svg className="picture-marks" aria-hidden>
        <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
          {objects.map((object, place) => {
            const path = outline(object);
            const colour = colours.get(object.class) ?? OTHER_COLOUR;
            return (
              <g key={place} data-testid="mark" data-class={object.class} data-lit={isLit(object, place)} data-dim={isDim(object, place)} onPointerEnter={() => onOver(place)} onPointerLeave={() => onOver(null)}>
                <path className="under" d={path} />
                <path d={path} stroke={colour} fill={colour} />
                {pointsOf(object).map(([x, y], i) => (
                  <circle key={i} cx={x} cy={y} r={4 / view.scale} fill={colour} />
                ))}
              </g>
            );
          })}
        </g>
      </svg>
      {objects.map(
        (object, place) =>
          (objects.length <= NAMED ? !isDim(object, place) : isLit(object, place)) && (
            <span
              key={place}
              className="picture-name"
              style={{ background: colours.get(object.class) ?? OTHER_COLOUR, transform: `translate(${Math.round(view.x + view.scale * object.box.x)}px, ${nameTop(object, view)}px)` }}
            >
              {object.class}
            </span>
          ),
      )}
    </>
  );
}
