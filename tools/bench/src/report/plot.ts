import { BarChart, CustomChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, setPlatformAPI, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { Spread } from "./statistics.ts";

// ECharts, since it draws SVG in Node without a browser's DOM, and depends on nothing but its own renderer.
use([BarChart, CustomChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);
// Without a canvas it guesses the width of a string, too narrow for most systems' fonts.
setPlatformAPI({
  measureText(text, font) {
    const [, size] = /([\d.]+)px/.exec(font ?? "") ?? [];
    // It takes the width of a Chinese character for the height of a line.
    const perCharacter = text === "国" ? 1 : 0.58;
    return { width: text.length * perCharacter * Number(size ?? 12) };
  },
});

export interface Series {
  name: string;
  /** One for each of the plot's categories. What was not measured is `undefined`. */
  points: (Spread | undefined)[];
}

export interface Plot {
  /** The file's name, less ".svg". */
  name: string;
  title: string;
  subtitle?: string;
  kind: "bars" | "lines";
  /** Along the x axis. */
  categories: string[];
  xLabel: string;
  yLabel: string;
  /** For lines only: bars would have no bottom. */
  logarithmic?: boolean;
  /** Each point is drawn at its median, with a whisker from the least to the greatest of its rounds. */
  series: Series[];
}

// px
const width = 900;
const height = 520;
// Okabe and Ito's colours, which the colour-blind can tell apart.
const colours = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#999999"];
const fontFamily = "system-ui, sans-serif";

/**
 * Draws a plot.
 *
 * @returns SVG.
 */
export function drawSvg(plot: Plot): string {
  const { title, subtitle = "", kind, categories, xLabel, yLabel, logarithmic = false, series } = plot;
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  const text = { fontFamily, color: "#222" };
  const small = { ...text, fontSize: 13 };
  chart.setOption({
    animation: false,
    color: colours,
    textStyle: text,
    backgroundColor: "#fff",
    title: {
      text: title,
      subtext: subtitle,
      left: 16,
      top: 12,
      textStyle: { ...text, fontSize: 18 },
      subtextStyle: small,
    },
    legend: {
      data: series.map(({ name }) => name),
      bottom: 12,
      left: 80,
      right: 24,
      textStyle: small,
    },
    grid: { left: 80, right: 24, top: 84, bottom: 96 },
    xAxis: {
      type: "category",
      data: categories,
      name: xLabel,
      nameLocation: "middle",
      nameGap: 32,
      nameTextStyle: small,
      axisLabel: small,
      axisTick: { show: false },
    },
    yAxis: {
      type: logarithmic && kind === "lines" ? "log" : "value",
      name: yLabel,
      nameLocation: "middle",
      nameGap: 60,
      nameTextStyle: small,
      axisLabel: { ...small, formatter: inFigures },
      splitLine: { lineStyle: { color: "#e5e5e5" } },
    },
    series: series.flatMap(({ name, points }, index) => [
      {
        type: kind === "bars" ? ("bar" as const) : ("line" as const),
        name,
        data: points.map((point) => point?.median ?? null),
        barGap: "10%",
        barCategoryGap: "25%",
        symbol: "circle",
        symbolSize: 7,
        itemStyle: { color: colour(index) },
        label: {
          show: kind === "bars",
          position: "top" as const,
          // px; above the whisker of figures that hardly differ.
          distance: 10,
          formatter: ({ value }: { value?: unknown }) => inFigures(Number(value)),
        },
      },
      whiskers(points, kind === "bars" ? { index, count: series.length } : undefined, colour(index)),
    ]),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

const colour = (index: number) => colours[index % colours.length] ?? "#000";

/** From the least to the greatest of the rounds, in the middle of a bar or through a point. */
function whiskers(
  points: Series["points"],
  bar: { index: number; count: number } | undefined,
  pointColour: string,
) {
  return {
    type: "custom" as const,
    encode: { x: 0, y: [1, 2] },
    data: points.flatMap((point, index) => (point ? [[index, point.least, point.greatest]] : [])),
    z: 10,
    silent: true,
    renderItem(_: unknown, api: WhiskerApi) {
      const [x = 0, low = 0] = api.coord([api.value(0), api.value(1)]);
      const [, high = 0] = api.coord([api.value(0), api.value(2)]);
      const offset = bar
        ? (api.barLayout({ barGap: "10%", barCategoryGap: "25%", count: bar.count })[bar.index]
            ?.offsetCenter ?? 0)
        : 0;
      const style = { stroke: bar ? "#222" : pointColour, lineWidth: 1.5 };
      const line = (x1: number, y1: number, x2: number, y2: number) => ({
        type: "line" as const,
        shape: { x1, y1, x2, y2 },
        style,
      });
      const centre = x + offset;
      return {
        type: "group" as const,
        children: [
          line(centre, low, centre, high),
          line(centre - 5, low, centre + 5, low),
          line(centre - 5, high, centre + 5, high),
        ],
      };
    },
  };
}

interface WhiskerApi {
  coord(value: (string | number)[]): number[];
  value(dimension: number): string | number;
  barLayout(options: { barGap: string; barCategoryGap: string; count: number }): { offsetCenter: number }[];
}

/** 12,345 and 0.123, not 0.12345. */
export const inFigures = (number: number): string =>
  number.toLocaleString(
    "en",
    Math.abs(number) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );
